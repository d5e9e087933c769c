/** A few kills of a first boot, so that every `npm test` pulls the plug somewhere. */

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { openExperiment } from './experiment.ts';
import { testFirstBootKills } from './first-boot-kills.ts';
import { DELIVERED } from './gateway.ts';

testFirstBootKills(3);

test('the judgement is not blind: a gateway whose intent was lost is declined, and that is told', {
  timeout: 300_000,
}, async () => {
  await using experiment = await openExperiment(5);
  await using gateway = await experiment.gateway('gw-forgetful');
  await using boot = gateway.start();
  assert.equal(await boot.sees([DELIVERED], 120_000), DELIVERED);
  await boot.kill();
  await rm(gateway.state, { recursive: true });
  assert.equal(gateway.standing(), 'nothing on disk, device made');
  const problems = gateway.problems(await gateway.recover());
  assert.match(problems[0] ?? '', /did not deliver: reason=declined/);
  assert.ok(problems.includes('2 tokens were proposed'), problems.join('; '));
});
