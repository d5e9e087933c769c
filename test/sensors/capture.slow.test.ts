/** scripts/capture-host.sh over every captured host, and over this one: a path that a sensor reads and the script’s list does not have makes this fail. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import type { Values } from '../../src/core/reading.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import { openSampler } from '../../src/sensors/sampler.ts';
import { type Asked, Trace } from '../../src/sensors/trace.ts';
import { openTree, type Tree } from '../../src/sensors/tree.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { JournalDouble } from './captured-host.ts';
import { capture, everythingIn, HOSTS } from './captures.ts';

/** What the script replaces in paths, and so in keys: MAC addresses and the serial numbers of 1-Wire devices. */
const NAMED_BY_SERIAL = /(28|10|22|3b|42)-[0-9a-f]{12}|[0-9a-f]{12}/i;

/** Two samples, and every path of /proc and /sys at which a sensor found something. */
async function sampled(root: string): Promise<{ values: Values; found: readonly string[] }> {
  const trace = new Trace();
  const half = { bsize: 4096, blocks: 1000, bfree: 500, bavail: 300, files: 100, ffree: 75 };
  const tree: Tree = { ...openTree(root), use: async () => half };
  const clock = new VirtualClock();
  const sampler = openSampler(collectors, trace.over(tree), clock, new JournalDouble());
  trace.begin();
  await sampler.sample();
  await clock.advance(10_000);
  trace.begin();
  const values = await sampler.sample();
  const found = trace.rounds
    .flat()
    .filter(isThere)
    .map(({ path }) => path);
  return { values, found: [...new Set(found)].toSorted() };
}

function isThere({ question, answer }: Asked): boolean {
  if (question === 'use') return false;
  return answer.is === 'there' ? answer.there : answer.is !== 'error';
}

/** The values that no replacement touches, by their keys where these hold no serial number. */
function numbers(values: Values): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) => `${NAMED_BY_SERIAL.test(key) ? 'a device' : key} ${value}`)
    .toSorted();
}

function namesOfThisHost(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flat()
    .filter((each) => each !== undefined && !each.internal)
    .flatMap((each) => [each?.mac ?? '', each?.mac.replaceAll(':', '') ?? '', each?.address ?? '']);
  const machineId = existsSync('/etc/machine-id') ? readFileSync('/etc/machine-id', 'utf8').trim() : '';
  const names = [...addresses, machineId, machineId.slice(0, 16), hostname().length > 5 ? hostname() : ''];
  return names.filter((name) => name.length >= 6 && !/^[0:]+$/.test(name));
}

for (const name of readdirSync(HOSTS)) {
  it(`what is captured of ${name} gives the same values, from the same paths`, async (t) => {
    const whole = await sampled(join(HOSTS, name));
    const captured = await sampled((await capture(t, ['--root', join(HOSTS, name)])).tree);
    const missing = whole.found.filter(
      (path) => !captured.found.includes(path) && !NAMED_BY_SERIAL.test(path),
    );
    assert.deepEqual(missing, [], 'read by a sensor, and not in the list of capture-host.sh');
    assert.deepEqual(numbers(captured.values), numbers(whole.values));
  });
}

it('a capture of this host gives a reading, and names neither it nor its network', async (t) => {
  const { tree, archive } = await capture(t, []);
  const { values } = await sampled(tree);
  for (const key of ['load1', 'uptimeS', 'memoryAvailableBytes', 'processCount'])
    assert.ok(key in values, key);
  const text = everythingIn(tree) + execFileSync('tar', ['-tvzf', archive], { encoding: 'latin1' });
  for (const secret of namesOfThisHost()) {
    assert.ok(!text.toLowerCase().includes(secret.toLowerCase()), `${secret} is in it`);
  }
  assert.doesNotMatch(text, new RegExp(`^${hostname()}$`, 'm'));
});
