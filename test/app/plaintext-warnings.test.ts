/** Roads without encryption: which are warned of, and that a start warns once, whatever is read again. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ClearRoads } from '../../src/app/plaintext-warnings.ts';
import type { Road } from '../../src/core/model/config.ts';
import type { Resolve } from '../../src/transport/resolve.ts';
import { RecordingLogger } from '../doubles/recording-logger.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { AgentProcess, workshop } from './agent-process.ts';

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
  return { ok: false, refusal: { reason: 'name-not-found', detail: host } };
};

const road = (scheme: Road['scheme'], host: string): Road => ({
  scheme,
  host,
  port: 1,
  url: `${scheme}://${host}`,
});

function stage() {
  const log = new RecordingLogger();
  const clear = new ClearRoads({ clock: new VirtualClock(), log, resolve });
  const told = async (...roads: readonly Road[]) => {
    const before = log.events.length;
    await clear.warn(roads, never);
    return log.events.slice(before);
  };
  return { log, told };
}

describe('a road without encryption', () => {
  for (const scheme of ['coap', 'http'] as const) {
    it(`by ${scheme} to a public address is warned of, with the address`, async () => {
      const { log, told } = stage();
      assert.deepEqual(await told(road(scheme, 'public.example')), ['FL-CLEAR-ROAD']);
      const [{ level, fields } = {}] = log.lines;
      assert.deepEqual(
        [level, fields],
        ['warn', { url: `${scheme}://public.example`, address: '192.0.2.7' }],
      );
    });
  }

  it('is warned of when one of the addresses of its name is public', async () => {
    const { log, told } = stage();
    assert.deepEqual(await told(road('coap', 'both.example')), ['FL-CLEAR-ROAD']);
    assert.equal(log.lines[0]?.fields['address'], '2001:db8::4');
  });

  it('in the house, to a name without addresses, or with encryption is none to warn of', async () => {
    const { told } = stage();
    const fine = [road('coap', 'home.example'), road('http', 'nobody.example')];
    assert.deepEqual(await told(...fine, road('https', 'public.example')), []);
  });

  it('behind https in the list is warned of even in the house, before https it is a choice', async () => {
    const { told } = stage();
    const [clear, safe] = [road('coap', 'home.example'), road('https', 'public.example')];
    assert.deepEqual(await told(clear, safe), []);
    assert.deepEqual(await told(safe, clear), ['FL-CLEAR-FALLBACK']);
  });

  it('is not told again with another configuration, and a new one is', async () => {
    const { told } = stage();
    const [one, other] = [road('coap', 'public.example'), road('http', 'both.example')];
    assert.deepEqual(await told(road('https', 'public.example'), one), [
      'FL-CLEAR-FALLBACK',
      'FL-CLEAR-ROAD',
    ]);
    assert.deepEqual(await told(road('https', 'public.example'), one), []);
    assert.deepEqual(await told(one, other), ['FL-CLEAR-ROAD']);
  });
});

it('the agent warns at its start, and not again when it reads another configuration', {
  timeout: 60_000,
}, async () => {
  await using place = await workshop();
  // 192.0.2.0/24 is nobody's (RFC 5737), and no answer is needed.
  const toml = (interval: string) =>
    `[server]\nurl = ["https://127.0.0.1:9", "coap://192.0.2.7"]\n[device]\ntoken = "AnyToken1234567890ab"\n[telemetry]\ninterval = "${interval}"\n[clock]\ntrust = "system"\n`;
  const file = await place.config(toml('1s'));
  await using agent = AgentProcess.run(['run', '--config', file, '--state', place.path]);
  await agent.line('event=FL-CLEAR-ROAD');
  await place.config(toml('2s'));
  agent.kill('SIGHUP');
  await agent.lines('event=FL-READY', 2);
  assert.equal(await agent.stop(), 0);
  for (const event of ['FL-CLEAR-ROAD', 'FL-CLEAR-FALLBACK']) {
    assert.equal(agent.output.filter((line) => line.includes(`event=${event}`)).length, 1, event);
  }
});
