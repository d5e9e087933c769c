/** `firstlight sample` as a process: it ends although a device never answers, and says nothing but what its sensors say. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { OWN_MAX } from '../../../src/config/custom-sensors.ts';
import { workshop } from '../../app/agent-process.ts';
import { sample } from './sample-process.ts';

it('as many programs as there may be are read without a word of Node’s about them', {
  timeout: 60_000,
}, async () => {
  await using place = await workshop();
  const names = Array.from({ length: OWN_MAX.exec }, (_, at) => `own${at}`);
  const own = names.map((name) => `[[sensor.exec]]\nname = "${name}"\ncommand = ["/bin/echo", "1"]\n`);
  const config = await place.config(`[server]\nurl = "coap://127.0.0.1:9"\n${own.join('')}`);
  const { said, complained } = await sample(['--json', '--config', config]);
  const values = JSON.parse(said).values;
  assert.deepEqual(
    names.filter((name) => values[name] !== 1),
    [],
  );
  assert.equal(complained, '');
});
