/** Warnings about unencrypted endpoints: which endpoints cause one, and that each is logged once per start. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PlaintextWarnings } from '../../src/app/plaintext-warnings.ts';
import type { EndpointConfig } from '../../src/core/model/config.ts';
import type { Resolve } from '../../src/transport/resolve.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { AgentProcess, tempDir } from './agent-process.ts';

const never = new AbortController().signal;
const ADDRESSES: Readonly<Record<string, readonly string[]>> = {
  'public.example': ['192.0.2.7'],
  'home.example': ['192.168.1.4', 'fd12::4'],
  'both.example': ['10.0.0.4', '2001:db8::4'],
};

const resolve: Resolve = async (host, port) => {
  const [first, ...rest] = (ADDRESSES[host] ?? []).map((address) => ({
    address,
    family: address.includes(':') ? (6 as const) : (4 as const),
    port,
  }));
  if (first) return { ok: true, value: [first, ...rest] };
  return { ok: false, failure: { reason: 'dns-failed', detail: host } };
};

const endpointOf = (scheme: EndpointConfig['scheme'], host: string): EndpointConfig => ({
  scheme,
  host,
  port: 1,
  url: `${scheme}://${host}`,
});

function harness() {
  const log = new RecordingLogger();
  const plaintext = new PlaintextWarnings({ clock: new VirtualClock(), log, resolve });
  const logged = async (...endpoints: readonly EndpointConfig[]) => {
    const before = log.events.length;
    await plaintext.warn(endpoints, never);
    return log.events.slice(before);
  };
  return { log, logged };
}

describe('an unencrypted endpoint', () => {
  for (const scheme of ['coap', 'http'] as const) {
    it(`over ${scheme} to a public address causes a warning with the address`, async () => {
      const { log, logged } = harness();
      assert.deepEqual(await logged(endpointOf(scheme, 'public.example')), ['FL-PLAINTEXT-ENDPOINT']);
      const [{ level, fields } = {}] = log.lines;
      assert.deepEqual(
        [level, fields],
        ['warn', { url: `${scheme}://public.example`, address: '192.0.2.7' }],
      );
    });
  }

  it('causes a warning if one of the addresses of its name is public', async () => {
    const { log, logged } = harness();
    assert.deepEqual(await logged(endpointOf('coap', 'both.example')), ['FL-PLAINTEXT-ENDPOINT']);
    assert.equal(log.lines[0]?.fields['address'], '2001:db8::4');
  });

  it('causes no warning if it is private, unresolvable or encrypted', async () => {
    const { logged } = harness();
    const encrypted = [endpointOf('coap', 'home.example'), endpointOf('http', 'nobody.example')];
    assert.deepEqual(await logged(...encrypted, endpointOf('https', 'public.example')), []);
  });

  it('causes a fallback warning after https in the list, but not before it', async () => {
    const { logged } = harness();
    const [plaintext, privateAddresses] = [
      endpointOf('coap', 'home.example'),
      endpointOf('https', 'public.example'),
      endpointOf('coaps', 'public.example'),
    ];
    assert.deepEqual(await logged(plaintext, privateAddresses), []);
    assert.deepEqual(await logged(privateAddresses, plaintext), ['FL-PLAINTEXT-FALLBACK']);
  });

  it('is logged once, and a new one in the next configuration is logged, too', async () => {
    const { logged } = harness();
    const [one, other] = [endpointOf('coap', 'public.example'), endpointOf('http', 'both.example')];
    assert.deepEqual(await logged(endpointOf('https', 'public.example'), one), [
      'FL-PLAINTEXT-FALLBACK',
      'FL-PLAINTEXT-ENDPOINT',
    ]);
    assert.deepEqual(await logged(endpointOf('https', 'public.example'), one), []);
    assert.deepEqual(await logged(one, other), ['FL-PLAINTEXT-ENDPOINT']);
  });
});

it('the agent warns at its start and not again after a reload', {
  timeout: 60_000,
}, async () => {
  await using place = await tempDir();
  // 192.0.2.0/24 is reserved for documentation (RFC 5737); the test needs no response.
  const toml = (interval: string) =>
    `[server]\nurl = ["https://127.0.0.1:9", "coap://192.0.2.7"]\n[device]\ntoken = "AnyToken1234567890ab"\n[telemetry]\ninterval = "${interval}"\n[clock]\ntrust = "system"\n`;
  const file = await place.config(toml('1s'));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', place.path]);
  await agent.line('event=FL-PLAINTEXT-ENDPOINT');
  await place.config(toml('2s'));
  agent.kill('SIGHUP');
  await agent.lines('event=FL-AGENT-STARTED', 2);
  assert.equal(await agent.stop(), 0);
  for (const event of ['FL-PLAINTEXT-ENDPOINT', 'FL-PLAINTEXT-FALLBACK']) {
    assert.equal(agent.output.filter((line) => line.includes(`event=${event}`)).length, 1, event);
  }
});
