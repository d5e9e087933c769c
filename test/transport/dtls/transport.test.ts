/** ThingsBoard's CoAP API over links that end, in virtual time, with a scripted helper and server. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { generate, type ParsedPacket, parse } from 'coap-packet';
import { DTLS_MESSAGE_BYTES_MAX } from '../../../src/core/delivery/encode.ts';
import { coapObstacle } from '../../../src/core/model/access-token.ts';
import type { TlsSettings } from '../../../src/core/model/config.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CoapTransport } from '../../../src/transport/coap/transport.ts';
import { IDLE_MS_MAX } from '../../../src/transport/dtls/socket.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { openDtls } from './dtls-server.ts';
import { HelperScript, type ScriptedHelper } from './scripted-helper.ts';

const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const DATED = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';
const UNDATED = '[{"cpu":12.5}]';
const CLIENT = { cert: 'cert', key: { reveal: () => 'key' } as unknown as Secret };
const never = new AbortController().signal;

const pathOf = ({ options }: Pick<ParsedPacket, 'options'>): string =>
  options
    .filter(({ name }) => name === 'Uri-Path')
    .map(({ value }) => value)
    .join('/');

/** A gateway with a server that answers each request by its path with a code, or with nothing. */
class Gateway {
  readonly clock = new VirtualClock();
  readonly script = new HelperScript();
  readonly transport: CoapTransport;
  readonly requests: string[] = [];
  readonly sizes: number[] = [];
  readonly blockSizes = new Set<number>();
  addresses = 'one';
  answer: (path: string, helper: ScriptedHelper) => string | undefined = (path) =>
    path.endsWith('provision') ? '4.00' : '2.01';

  constructor(tls: TlsSettings = { pins: [] }) {
    this.script.onDatagram = (helper, bytes) => this.#onDatagram(helper, bytes);
    this.transport = openDtls(
      { host: '192.0.2.7', port: 5684, tls, startHelper: this.script.start },
      { clock: this.clock, ownAddresses: () => this.addresses },
    );
  }

  /** The reason of the failure, or 'ok'. Time passes until it is known. */
  async run(result: Promise<{ ok: true } | { ok: false; failure: { reason: string } }>): Promise<string> {
    let reason: string | undefined;
    void result.then((ended) => {
      reason = ended.ok ? 'ok' : ended.failure.reason;
    });
    for (let step = 0; step < 1_000 && reason === undefined; step += 1) await this.clock.advance(100);
    return reason ?? 'pending';
  }

  post(body = DATED): Promise<string> {
    return this.run(this.transport.postTelemetry(TOKEN, body, never));
  }

  #onDatagram(helper: ScriptedHelper, bytes: Buffer): void {
    this.sizes.push(bytes.length);
    const packet = parse(bytes);
    if (packet.code !== '0.01' && packet.code !== '0.02') return;
    const path = pathOf(packet);
    this.requests.push(path);
    const block1 = packet.options.find(({ name }) => name === 'Block1')?.value;
    if (Buffer.isBuffer(block1)) this.blockSizes.add(packet.payload.length);
    const code = Buffer.isBuffer(block1) && (block1.at(-1) ?? 0) & 8 ? '2.31' : this.answer(path, helper);
    if (code === undefined) return;
    const observes = packet.options.some(({ name }) => name === 'Observe');
    helper.receive(
      generate({
        ack: true,
        code,
        messageId: packet.messageId,
        token: packet.token,
        options: [
          ...(observes ? [{ name: 'Observe' as const, value: Buffer.alloc(0) }] : []),
          ...(Buffer.isBuffer(block1) ? [{ name: 'Block1' as const, value: block1 }] : []),
        ],
        ...(code === '2.05' && { payload: Buffer.from('{}') }),
      }),
    );
  }
}

describe('a post over a link', () => {
  it('goes on over another link if the helper ends before the response', async () => {
    const gateway = new Gateway();
    await gateway.post();
    await gateway.clock.advance(IDLE_MS_MAX);
    let isKilled = false;
    gateway.answer = (_path, helper) => {
      if (isKilled) return '2.01';
      isKilled = true;
      helper.die();
      return undefined;
    };
    assert.equal(await gateway.post(), 'ok');
    assert.equal(gateway.script.helpers.length, 2);
    assert.equal(gateway.requests.length, 3);
  });

  it('is not repeated over another link without a timestamp, as it would be a second point', async () => {
    const gateway = new Gateway();
    await gateway.post();
    gateway.answer = (_path, helper) => {
      helper.down('CLOSE_NOTIFY');
      return undefined;
    };
    assert.equal(await gateway.post(UNDATED), 'connection-reset');
    await gateway.clock.advance(60_000);
    assert.equal(gateway.requests.length, 2);
  });

  it('shakes hands after the addresses of this host have changed', async () => {
    const gateway = new Gateway();
    await gateway.post();
    gateway.addresses = 'other';
    await gateway.clock.advance(2_000);
    assert.equal(await gateway.post(), 'ok');
    assert.deepEqual([gateway.script.opened.length, gateway.script.helpers.length], [2, 1]);
  });

  it('finds a server that was restarted, with one handshake for all requests in flight', async () => {
    const gateway = new Gateway();
    await gateway.post();
    const [old] = gateway.script.helpers[0]?.opened ?? [];
    gateway.answer = () => (gateway.script.opened.at(-1) === old ? undefined : '2.01');
    const posts = [1, 2, 3, 4].map(() => gateway.post());
    assert.deepEqual(await Promise.all(posts), ['ok', 'ok', 'ok', 'ok']);
    assert.equal(gateway.script.opened.length, 2);
    assert.ok(gateway.clock.monotonicMs() < 12_000, `${gateway.clock.monotonicMs()} ms`);
  });

  it('fails as the certificate of a server that is not the configured one', async () => {
    const gateway = new Gateway();
    await gateway.post();
    gateway.script.onOpen = (helper) => helper.fail('HOSTNAME_MISMATCH');
    await gateway.clock.advance(IDLE_MS_MAX);
    assert.equal(await gateway.post(), 'certificate-name-mismatch');
    assert.equal(gateway.requests.length, 1);
    gateway.script.onOpen = (helper) => helper.up();
    assert.equal(await gateway.post(), 'ok');
  });

  it('never leaves before the key of the server was compared', async () => {
    const gateway = new Gateway({ pins: ['uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek='] });
    assert.equal(await gateway.post(), 'certificate-pin-mismatch');
    assert.deepEqual(gateway.requests, []);
  });
});

describe('provisioning over a link', () => {
  const provision = (gateway: Gateway) =>
    gateway.run(
      gateway.transport.provision(
        { deviceName: 'gw', key: 'k', secret: new Secret('s') },
        async () => {},
        never,
      ),
    );

  it('first asks for an answer if only the client knows the link to be up', async () => {
    const gateway = new Gateway();
    await provision(gateway);
    assert.deepEqual(gateway.requests, ['api/v1/provision']);
    gateway.script.onOpen = (helper) => helper.up({ isResumed: true });
    await gateway.clock.advance(IDLE_MS_MAX);
    await provision(gateway);
    assert.equal(gateway.requests.length, 3);
  });

  it('is never sent over a second link', async () => {
    const gateway = new Gateway();
    await gateway.post();
    gateway.answer = (_path, helper) => {
      helper.die();
      return undefined;
    };
    assert.equal(await provision(gateway), 'connection-reset');
    await gateway.clock.advance(300_000);
    assert.deepEqual(
      gateway.requests.filter((path) => path.endsWith('provision')),
      ['api/v1/provision'],
    );
  });

  it('is repeated over its link for four minutes', async () => {
    const gateway = new Gateway();
    await gateway.post();
    gateway.answer = () => undefined;
    const provisioning = provision(gateway);
    for (let second = 0; second < 250; second += 1) await gateway.clock.advance(1_000);
    assert.equal(await provisioning, 'server-timeout');
    assert.equal(gateway.script.opened.length, 1);
    assert.ok(gateway.requests.length > 10);
  });
});

it('an observation is registered again on each new link', async () => {
  const gateway = new Gateway();
  gateway.answer = () => '2.05';
  const stop = new AbortController();
  const listener = { onRegistered: () => {}, onAttributes: () => {}, onCommand: () => {} };
  const listening = gateway.transport.listen(
    TOKEN,
    { attributes: true, commands: true },
    listener,
    stop.signal,
  );
  await gateway.clock.advance(1_000);
  const once = [`api/v1/${TOKEN.reveal()}/attributes`, `api/v1/${TOKEN.reveal()}/rpc`];
  assert.deepEqual(gateway.requests, once);
  gateway.script.last.down('CLOSE_NOTIFY');
  await gateway.clock.advance(1_000);
  assert.deepEqual(gateway.requests, [...once, ...once]);
  assert.equal(gateway.script.opened.length, 2);
  stop.abort();
  await listening;
});

describe('messages over a link have at most 1,024 bytes', () => {
  const largestBody = (bytes: number) => `[{"x":"${'x'.repeat(bytes - 10)}"}]`;

  for (const length of [1, 12, 13, 20, 54, 55, 56, 255]) {
    it(`with an access token of ${length} characters`, async () => {
      const gateway = new Gateway();
      const token = new Secret('t'.repeat(length));
      assert.equal(coapObstacle(token), undefined);
      const body = largestBody(gateway.transport.bodyBytesMax(token));
      await gateway.run(gateway.transport.postAttributes(token, body, never));
      await gateway.run(gateway.transport.postTelemetry(token, body, never));
      const largest = Math.max(...gateway.sizes);
      assert.equal(gateway.sizes.length, 2);
      assert.ok(largest <= DTLS_MESSAGE_BYTES_MAX, `${largest}`);
      if (length >= 55) assert.equal(largest, DTLS_MESSAGE_BYTES_MAX);
      else assert.equal(body.length, 940);
    });
  }

  it('in a reply, which goes in blocks of 512 bytes', async () => {
    const gateway = new Gateway();
    const reply = (text: string) =>
      gateway.run(gateway.transport.reply(TOKEN, 7, JSON.stringify({ text }), never));
    assert.equal(await reply('x'.repeat(5_000)), 'ok');
    assert.equal(await reply('x'.repeat(600)), 'ok');
    assert.ok(Math.max(...gateway.sizes) < 1_024);
    assert.equal(Math.max(...gateway.blockSizes), 512);
  });
});

describe('with a client certificate', () => {
  it('no path contains a token', async () => {
    const gateway = new Gateway({ pins: [], client: CLIENT });
    await gateway.post();
    await gateway.run(gateway.transport.postAttributes(TOKEN, '{"a":1}', never));
    await gateway.run(gateway.transport.reply(TOKEN, 7, '{}', never));
    assert.deepEqual(gateway.requests, ['api/v1/telemetry', 'api/v1/attributes', 'api/v1/rpc/7']);
  });

  it('every handshake is a full one, before a response is believed', async () => {
    const gateway = new Gateway({ pins: [], client: CLIENT });
    await gateway.post();
    await gateway.clock.advance(IDLE_MS_MAX);
    gateway.answer = (path) => (path.endsWith('provision') ? '4.00' : '4.01');
    assert.equal(await gateway.post(), 'client-certificate-rejected');
    assert.deepEqual(
      gateway.script.opened.map(({ isFull }) => isFull),
      [true, true],
    );
  });
});
