/** scripts/capture-host.sh over every captured host, and over this one. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { it } from 'node:test';
import { capture, everythingIn, HOSTS, sampleHost, testCaptureOf } from './captures.ts';

function namesOfThisHost(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each !== undefined && !each.internal)
    .flatMap((each) => [each?.mac ?? '', each?.mac.replaceAll(':', '') ?? '', each?.address ?? '']);
  const machineId = existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8').trim() : '';
  const names = [...addresses, machineId, machineId.slice(0, 16), hostname().length > 5 ? hostname() : ''];
  return names.filter((name) => name.length >= 6 && !/^[0:]+$/.test(name));
}

for (const name of readdirSync(HOSTS)) testCaptureOf(name);

it('a capture of this host can be sampled and contains no names or addresses', async (t) => {
  const { root, archive } = await capture(t, []);
  const { values } = await sampleHost(root);
  for (const key of ['load1', 'uptimeS', 'memoryAvailableBytes', 'processCount'])
    assert.ok(key in values, key);
  const text = everythingIn(root) + execFileSync('tar', ['-tvzf', archive], { encoding: 'latin1' });
  for (const secret of namesOfThisHost()) {
    assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `the capture contains ${secret}`);
  }
  assert.doesNotMatch(text, new RegExp(`^${hostname()}$`, 'm'));
});
