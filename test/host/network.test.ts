/** The network of this host: what counts as a connection, and when a wait for one ends. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { hostClock } from '../../src/host/clock/clock.ts';
import { connectionsOfThisHost, hostNetwork } from '../../src/host/network.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';

/** Waits on a host whose connections are `states`, one for each reading; resolves with the end of the wait, ms. */
async function endedAfter(states: readonly (readonly string[])[]): Promise<number | undefined> {
  const clock = new VirtualClock();
  let reading = 0;
  const readConnections = () => new Set(states[Math.min(reading++, states.length - 1)]);
  const stop = new AbortController();
  let endedMs: number | undefined;
  const waiting = hostNetwork({ clock, readConnections })
    .nextConnection(stop.signal)
    .then(() => {
      endedMs = clock.monotonicMs();
    });
  await clock.advance(60_000);
  const result = endedMs;
  stop.abort();
  await waiting;
  assert.equal(clock.sleeping, 0);
  return result;
}

describe('the wait for a connection', () => {
  it('a new address ends the wait at the next check', async () => {
    assert.equal(await endedAfter([[], [], ['eth0 192.0.2.7']]), 4_000);
  });

  it('a lost address does not end the wait, its return does', async () => {
    assert.equal(await endedAfter([['a', 'b'], ['a'], ['a'], ['a', 'b']]), 6_000);
    assert.equal(await endedAfter([['a', 'b'], ['a']]), undefined);
  });

  it('an unchanged network does not end the wait', async () => {
    assert.equal(await endedAfter([['a']]), undefined);
  });
});

describe('the connections of this host', () => {
  it('loopback and link-local addresses are none', () => {
    for (const connection of connectionsOfThisHost())
      assert.doesNotMatch(connection, / (127\.|::1$|fe80:|169\.254\.)/);
  });

  const canMakeInterfaces =
    spawnSync('unshare', ['--net', 'ip', 'link', 'add', 'fl7', 'type', 'veth', 'peer', 'name', 'fl8'])
      .status === 0;
  const reason = canMakeInterfaces ? false : 'needs root, unshare and ip';
  it('a real interface that gets an address ends the wait within five seconds', { skip: reason }, () => {
    // In a network of its own, so that nothing of this host changes.
    const script = `
      const { hostNetwork } = await import(${JSON.stringify(new URL('../../src/host/network.js', import.meta.url).href)});
      const { hostClock } = await import(${JSON.stringify(new URL('../../src/host/clock/clock.js', import.meta.url).href)});
      const { execSync } = await import('node:child_process');
      const clock = hostClock();
      const stop = new AbortController();
      setTimeout(() => execSync('ip link add fl7 type veth peer name fl8 && ip link set fl8 up && ip link set fl7 up && ip addr add 192.0.2.7/24 dev fl7'), 500);
      setTimeout(() => { console.log('no end'); process.exit(1); }, 10_000).unref();
      await hostNetwork({ clock }).nextConnection(stop.signal);
      console.log('ended', Math.round(clock.monotonicMs()));
      process.exit(0);`;
    const { stdout } = spawnSync(
      'unshare',
      ['--net', process.execPath, '--input-type=module', '-e', script],
      { encoding: 'utf8' },
    );
    assert.match(stdout, /^ended \d{1,4}\n$/);
  });

  it('the default of the wait reads this host', async () => {
    const stop = new AbortController();
    const waiting = hostNetwork({ clock: hostClock() }).nextConnection(stop.signal);
    stop.abort();
    await waiting;
  });
});
