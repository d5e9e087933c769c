/** The check of updates: off, on, and what is wrong. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { updateCheck } from '../../../src/cli/doctor/update-check.ts';
import type { UpdateSummary } from '../../../src/cli/update/summary.ts';

const OFF: UpdateSummary = { keyIds: [], problems: [], last: undefined };
const ON: UpdateSummary = { ...OFF, keyIds: ['0123456789abcdef'] };

async function resultOf(summary: UpdateSummary, state = 'active') {
  return updateCheck(
    () => summary,
    async () => state,
  ).run(new AbortController().signal);
}

test('without a key the check is skipped', async () => {
  assert.equal((await resultOf(OFF)).status, 'skip');
});

test('with a key and a waiting unit it passes and shows the last result', async () => {
  const last = { outcome: 'updated', previous: '0.1.0', version: '0.2.0' } as const;
  assert.deepEqual(await resultOf({ ...ON, last }), {
    status: 'pass',
    observed: 'on, 1 key; last: updated from 0.1.0 to 0.2.0',
  });
});

test('a unit that does not wait and an unusable key fail with their action', async () => {
  const inactive = await resultOf(ON, 'inactive');
  assert.match(
    inactive.status === 'fail' ? inactive.action : '',
    /systemctl enable --now firstlight-update.path/,
  );
  const problems = ['/etc/x.pem can be written by others: run chmod go-w /etc/x.pem'];
  const unusable = await resultOf({ ...ON, problems });
  assert.equal(unusable.observed, '/etc/x.pem can be written by others');
  assert.equal(unusable.status === 'fail' && unusable.action, 'run chmod go-w /etc/x.pem');
});
