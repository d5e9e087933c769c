/** The whole daemon with a server.url that cuts it off: it returns by itself, with its token and every reading. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { DaemonGateway, line, PROVISIONING, readingGaps, setServerUrl } from './remote-daemon-harness.ts';

/** Five minutes take ten seconds. */
const FACTOR = 30;

describe('a server.url that does not work', () => {
  for (const target of ['another server', 'a closed port'] as const) {
    it(`that is ${target} is left after five minutes with every reading`, {
      timeout: 120_000,
    }, async () => {
      await using home = await openSandbox({ provisioning: PROVISIONING });
      await using other = await openSandbox({ provisioning: PROVISIONING });
      await using gateway = await DaemonGateway.create({
        server: `coap://127.0.0.1:${home.coapPort}`,
        factor: FACTOR,
        // Longer than the host's own second, so that each reading has another uptime.
        interval: '40s',
      });
      const url = target === 'another server' ? `coap://localhost:${other.coapPort}` : 'coap://localhost:1';
      const daemon = await gateway.run();
      await line(daemon, 'first telemetry accepted');
      const startedMs = daemon.clock.monotonicMs();
      setServerUrl(home, url);
      await line(daemon, 'event=FL-REMOTE-SETTINGS-APPLIED');
      const cut = await gateway.snapshot();
      await line(daemon, 'event=FL-REMOTE-SETTINGS-REVERTED');
      const lastedMs = daemon.clock.monotonicMs() - startedMs;
      assert.ok(lastedMs > 299_000 && lastedMs < 330_000, `${lastedMs} ms`);
      await line(daemon, 'first telemetry accepted', 2);
      daemon.remote.onAttributes({ is: 'all', values: { serverUrl: url } });
      await line(daemon, 'telemetry accepted', 12);
      await daemon.stop();
      assert.equal(daemon.lines.filter((each) => each.includes('FL-REMOTE-SETTINGS-APPLIED')).length, 1);

      const gaps = readingGaps(home);
      assert.ok(Math.max(...gaps) < 45_000, `readings of the trial are missing: ${gaps.join()}`);
      assert.deepEqual([other.devices(), other.points()], [[], []]);
      assert.ok(!Object.keys(other.stats().requests).some((name) => name.startsWith('provision')));
      assert.equal(home.stats().requests['provision SUCCESS'], 1);
      const stored = await gateway.readJson('remote-settings.json');
      assert.deepEqual(stored?.['rejected'], { 'server.url': url });

      setServerUrl(home, undefined);
      await using restarted = cut;
      const next = await restarted.run();
      await line(next, 'first telemetry accepted');
      assert.equal(next.config.current.config.server.endpoints[0].host, '127.0.0.1');
      await next.stop();
      assert.equal(home.devices().length, 1);
    });
  }
});
