/** Commands and attributes arrive again after every kind of loss, in virtual time and without telemetry. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { NO_FAULTS } from '../../../simulation/first-boot/plan.ts';
import { LOSSY, VirtualDownlink } from '../helpers/virtual-downlink.ts';

const MINUTE_MS = 60_000;
const HEALED_MS_MAX = 5 * MINUTE_MS;

/** Each leaves a network that works, and a gateway that has not noticed anything. */
const LOSSES: Readonly<Record<string, (downlink: VirtualDownlink) => Promise<void>>> = {
  'a restart of the server within 50 ms': async (downlink) => {
    downlink.server.restart(50);
    await downlink.run(100);
  },
  'a server that was down for 80 s': async (downlink) => {
    downlink.server.restart(80_000);
    await downlink.run(80_100);
  },
  'a server that forgot the observations': async (downlink) => downlink.server.core.admin.restart(),
  'a new port behind NAT': async (downlink) => downlink.rebindNat(),
  'an hour without a network': async (downlink) => {
    downlink.conditions = { ...NO_FAULTS, link: 'dark' };
    await downlink.run(60 * MINUTE_MS);
    downlink.conditions = NO_FAULTS;
  },
  'an hour without a route': async (downlink) => {
    downlink.conditions = { ...NO_FAULTS, link: 'unreachable' };
    await downlink.run(60 * MINUTE_MS);
    downlink.conditions = NO_FAULTS;
  },
  'another process took the observations': async (downlink) => downlink.takeOver(),
};

describe('commands arrive within five minutes after', () => {
  for (const [loss, cause] of Object.entries(LOSSES)) {
    it(loss, async () => {
      for (let seed = 1; seed <= 5; seed += 1) {
        await using downlink = new VirtualDownlink(seed);
        downlink.setAttributes({ before: seed });
        // Any moment between two renewals.
        await downlink.run((20 + seed * 0.9) * MINUTE_MS);
        assert.ok((await downlink.commandTakesMs('before')) < 1_000);
        await downlink.run(1_000);
        await cause(downlink);
        const tookMs = await downlink.commandTakesMs('after');
        assert.ok(tookMs <= HEALED_MS_MAX, `${tookMs} ms, seed ${seed}`);
      }
    });
  }
});

describe('an agent that listens over a bad network', () => {
  it('hears every command and ends with the attributes of the server', async () => {
    for (let seed = 1; seed <= 3; seed += 1) {
      await using downlink = new VirtualDownlink(seed);
      downlink.conditions = LOSSY;
      await downlink.run(MINUTE_MS);
      const count = 60;
      for (let n = 0; n < count; n += 1) {
        downlink.setAttributes({ [`key${n % 7}`]: n });
        downlink.sendCommand(`command ${n}`, 3_600_000);
        await downlink.run(3 * MINUTE_MS);
        // The NAT and the server forget at moments without a command.
        if (n % 20 === 7) downlink.rebindNat();
        if (n % 20 === 17) downlink.server.core.admin.restart();
      }
      downlink.conditions = NO_FAULTS;
      await downlink.run(35 * MINUTE_MS);
      const methods = new Set(downlink.heard.commands.map(({ method }) => method));
      const missing = Array.from({ length: count }, (_, n) => `command ${n}`).filter(
        (method) => !methods.has(method),
      );
      assert.deepEqual(missing, [], `seed ${seed}`);
      const last = Object.fromEntries(Array.from({ length: count }, (_, n) => [`key${n % 7}`, n] as const));
      assert.deepEqual({ ...downlink.heard.attributes }, last, `seed ${seed}`);
    }
  });
});
