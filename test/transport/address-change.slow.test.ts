/**
 * The addresses of the gateway change while it posts every second: the agent as a process in a network namespace of its own, the
 * sandbox at the other end of a pair of virtual interfaces. The tests print the time from each change to the first stored post.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { it, type TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../app/agent-process.ts';
import { Authority } from '../doubles/certificates.ts';
import { readingTimes } from '../reading-times.ts';
import { NetworkLink } from '../system/network-link.ts';
import { EVERY_SECOND, readingGridOf, waitUntilUnbroken } from '../system/reading-grid.ts';
import { isTrueWithin } from '../until.ts';
import { dtlsProblem } from './dtls/dtls-server.ts';

const PROVISIONING = { key: 'key', secret: 'a-secret' };
const ONLINE_WITHIN_MS = 30_000;
/** For a loaded machine; the times are printed. */
const ANSWERED_WITHIN_MS = 15_000;
const DOWN_MS = 5_000;
/** Between the end of a lease and the next one. */
const WITHOUT_ADDRESS_MS = 3_000;
/** Readings are a second apart. */
const DOUBLED_MS_MAX = 500;

const CHANGES: Readonly<Record<string, (link: NetworkLink) => Promise<void>>> = {
  'another address': async (link) => {
    await link.removeAddress();
    await link.addAddress();
  },
  'another address, after none': async (link) => {
    await link.removeAddress();
    await sleep(WITHOUT_ADDRESS_MS);
    await link.addAddress();
  },
  'link down and up': async (link) => {
    await link.down();
    await sleep(DOWN_MS);
    await link.up();
  },
  'another address while the link was down': async (link) => {
    await link.down();
    await link.removeAddress();
    await link.addAddress();
    await sleep(DOWN_MS);
    await link.up();
  },
};

const problem = namespaceProblem();
for (const [scheme, isMissing] of [
  ['coaps', problem ?? dtlsProblem],
  ['coap', problem ?? false],
] as const)
  it(`over ${scheme} a change of the address or the link costs seconds, and no reading`, {
    skip: isMissing,
    timeout: 240_000,
  }, async (t) => {
    await using link = await NetworkLink.build();
    using authority = scheme === 'coaps' ? new Authority() : undefined;
    const files = authority?.issue({ names: `IP:${link.serverAddress}` });
    await using sandbox = await openSandbox({
      host: link.serverAddress,
      provisioning: PROVISIONING,
      ...(files && { coaps: { files } }),
    });
    const port = scheme === 'coaps' ? sandbox.coaps?.port : sandbox.coapPort;
    await using place = await tempDir();
    const config = await place.config(
      toml(`${scheme}://${link.serverAddress}:${port}`, authority?.pem.certFile),
    );
    await using agent = AgentProcess.run(
      ['run', '--config', config, '--state', `${place.path}/state`],
      { RUNTIME_DIRECTORY: place.path },
      ['ip', 'netns', 'exec', link.namespace],
    );
    const isOnline = await isTrueWithin(() => readingGridOf(sandbox).readings >= 3, ONLINE_WITHIN_MS);
    assert.ok(isOnline, agent.output.join('\n'));
    for (const [what, change] of Object.entries(CHANGES)) await expectAnswer(t, link, sandbox, what, change);
    const grid = await waitUntilUnbroken(sandbox, Date.now(), ONLINE_WITHIN_MS);
    assert.deepEqual([grid.missing, grid.reported], [0, 0], JSON.stringify(grid.gaps));
    assert.deepEqual(doubledIn(sandbox), []);
    assert.equal(sandbox.devices().length, 1);
    t.diagnostic(`${grid.readings} readings, none missing`);
  });

async function expectAnswer(
  t: TestContext,
  link: NetworkLink,
  sandbox: Sandbox,
  what: string,
  change: (link: NetworkLink) => Promise<void>,
): Promise<void> {
  const handshakes = sandbox.coaps?.handshakes.all ?? 0;
  await change(link);
  const changedMs = performance.now();
  const before = sandbox.points().length;
  const isAnswered = await isTrueWithin(() => sandbox.points().length > before, ANSWERED_WITHIN_MS);
  const tookS = ((performance.now() - changedMs) / 1000).toFixed(1);
  const shaken = (sandbox.coaps?.handshakes.all ?? 0) - handshakes;
  t.diagnostic(`${what}: first post after ${tookS} s${sandbox.coaps ? `, ${shaken} handshakes` : ''}`);
  assert.ok(isAnswered, `${what}: no post within ${tookS} s`);
  // So that the next change meets an agent that is online.
  await waitUntilUnbroken(sandbox, Date.now(), ONLINE_WITHIN_MS);
}

/** Timestamps of readings that were stored under two timestamps. */
function doubledIn(sandbox: Sandbox): readonly number[] {
  const times = readingTimes(sandbox.points());
  return times.filter((ts, index) => ts - (times[index - 1] ?? Number.NEGATIVE_INFINITY) < DOUBLED_MS_MAX);
}

function toml(url: string, caFile: string | undefined): string {
  return `[server]
url = "${url}"
spread = "0s"
${caFile === undefined ? '' : `ca-file = "${caFile}"`}
[provisioning]
key = "${PROVISIONING.key}"
secret = "${PROVISIONING.secret}"
${EVERY_SECOND}`;
}

function namespaceProblem(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    return 'network namespaces need Linux and root';
  const { status } = spawnSync('ip', ['netns', 'list'], { stdio: 'ignore' });
  if (status !== 0) return 'ip is not installed (Debian package iproute2)';
  return spawnSync('unshare', ['--net', 'true']).status === 0
    ? undefined
    : 'network namespaces are not permitted here';
}
