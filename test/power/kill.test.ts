/** A few kills of a first boot in each `npm test`, and a check of the check. */

import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { test } from 'node:test';
import { openExperiment } from './experiment.ts';
import { testFirstBootKills } from './first-boot-kills.ts';
import { DECLINED, DELIVERED } from './gateway.ts';

testFirstBootKills(3);

test('a gateway that has lost its intent is declined and reported as a violation', {
  timeout: 300_000,
}, async () => {
  await using experiment = await openExperiment(5);
  await using gateway = await experiment.gateway('gw-forgetful');
  await using boot = gateway.start();
  assert.equal(await boot.waitFor([DELIVERED], 120_000), DELIVERED);
  await boot.kill();
  await rm(gateway.state, { recursive: true });
  assert.equal(gateway.situation(), 'nothing on disk, device exists');
  const problems = gateway.problems(await gateway.recover());
  assert.equal(problems[0], `did not deliver: ${DECLINED}`);
  assert.ok(problems.includes('2 tokens were proposed'), problems.join('; '));
});
