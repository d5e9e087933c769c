/** `firstlight sample` as a process with the maximum number of custom sensors. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CUSTOM_SENSORS_MAX } from '../../../src/config/custom-sensors.ts';
import { tempDir } from '../../app/agent-process.ts';
import { sample } from './sample-process.ts';

it('the maximum number of sensor programs causes no warning of Node', {
  timeout: 60_000,
}, async () => {
  await using place = await tempDir();
  const names = Array.from({ length: CUSTOM_SENSORS_MAX.exec }, (_, at) => `own${at}`);
  const own = names.map((name) => `[[sensor.exec]]\nname = "${name}"\ncommand = ["/bin/echo", "1"]\n`);
  const config = await place.config(`[server]\nurl = "coap://127.0.0.1:9"\n${own.join('')}`);
  const { output, complained } = await sample(['--json', '--config', config]);
  const values = JSON.parse(output).values;
  assert.deepEqual(
    names.filter((name) => values[name] !== 1),
    [],
  );
  assert.equal(complained, '');
});
