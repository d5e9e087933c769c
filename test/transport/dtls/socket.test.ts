/** When a socket over DTLS shakes hands, and what it does with datagrams meanwhile; with a scripted helper. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TlsSettings } from '../../../src/core/model/config.ts';
import { connectSocket } from '../../../src/transport/datagram-socket.ts';
import { DtlsEndpoint } from '../../../src/transport/dtls/endpoint.ts';
import { DtlsSocket, IDLE_MS_MAX } from '../../../src/transport/dtls/socket.ts';
import { networkFailure } from '../../../src/transport/network-failure.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import { HelperScript } from './scripted-helper.ts';

const PEER = { address: '192.0.2.7', family: 4, port: 5684 } as const;
const never = new AbortController().signal;
const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

class Host {
  readonly clock = new VirtualClock();
  readonly script = new HelperScript();
  readonly endpoint: DtlsEndpoint;
  readonly received: string[] = [];
  readonly errors: string[] = [];
  lost = 0;

  constructor(tls: TlsSettings = { pins: [] }) {
    this.endpoint = new DtlsEndpoint(
      { host: 'tb.example.com.', tls },
      { clock: this.clock, startHelper: this.script.start },
    );
  }

  openSocket(): DtlsSocket {
    const socket = new DtlsSocket(this.endpoint);
    socket.on('message', (bytes: Buffer) => this.received.push(bytes.toString()));
    socket.onLost(() => {
      this.lost += 1;
    });
    return socket;
  }

  /** A connected socket whose errors are collected. */
  async connect(): Promise<DtlsSocket> {
    const socket = this.openSocket();
    await connectSocket(socket, PEER);
    socket.on('error', (error: Error) => this.errors.push(networkFailure(error, '').reason));
    return socket;
  }

  /** The reason why a socket cannot be connected. Time passes until it is known. */
  async failToConnect(): Promise<string> {
    const reason = connectSocket(this.openSocket(), PEER).then(
      () => 'connected',
      (error: unknown) => networkFailure(error, '').reason,
    );
    for (let second = 0; second < 25; second += 1) await this.clock.advance(1_000);
    return reason;
  }

  get sent(): string {
    return this.script.helpers.flatMap(({ datagrams }) => datagrams.map(String)).join(' ');
  }
}

const send = (socket: DtlsSocket, text: string) => socket.send(Buffer.from(text), () => {});

describe('the handshake of a new socket', () => {
  it('passes the address, the name of the URL and the credentials to the helper', async () => {
    const host = new Host({ pins: [], ca: 'the CA' });
    await host.connect();
    const { address, port } = PEER;
    assert.deepEqual(host.script.opened, [{ address, port, serverName: 'tb.example.com', isFull: false }]);
    assert.deepEqual([...host.script.last.credentials], [['A', 'the CA']]);
  });

  it('keeps datagrams until it has succeeded, each once', async () => {
    const host = new Host();
    host.script.onOpen = () => {};
    const socket = host.openSocket();
    const connecting = connectSocket(socket, PEER);
    const request = Buffer.from('one');
    for (const bytes of [request, Buffer.from('two'), request]) socket.send(bytes, () => {});
    await settle();
    assert.equal(host.sent, '');
    host.script.last.up();
    await connecting;
    assert.equal(host.sent, 'one two');
  });

  it('fails after 20 s without a result, and ends the helper', async () => {
    const host = new Host();
    host.script.onOpen = () => {};
    assert.equal(await host.failToConnect(), 'server-timeout');
    assert.equal(host.script.opened.length, 2);
    assert.ok(host.script.helpers.every(({ isClosed }) => isClosed));
  });

  it('begins again after 6 s without a result, and then has the other 14 s', async () => {
    const host = new Host();
    host.script.onOpen = () => {};
    const connecting = connectSocket(host.openSocket(), PEER);
    await host.clock.advance(5_900);
    assert.equal(host.script.opened.length, 1);
    await host.clock.advance(100);
    assert.equal(host.script.opened.length, 2);
    assert.ok(host.script.helpers[0]?.isClosed);
    await host.clock.advance(13_900);
    host.script.last.up();
    await connecting;
    assert.equal(host.script.opened.length, 2);
  });

  it('is tried again after two alerts, which anybody can forge', async () => {
    const host = new Host();
    let count = 0;
    host.script.onOpen = (helper) => (++count <= 2 ? helper.fail('ALERT_HANDSHAKE_FAILURE') : helper.up());
    assert.equal(await host.failToConnect(), 'connected');
    assert.equal(host.script.opened.length, 3);
  });

  for (const [code, reason, attempts] of [
    ['ALERT_HANDSHAKE_FAILURE', 'tls-version-mismatch', 3],
    ['ALERT_BAD_CERTIFICATE', 'client-certificate-rejected', 3],
    ['PROTOCOL', 'tls-failed', 3],
    ['ECONNREFUSED', 'port-closed', 1],
    ['ENETUNREACH', 'no-route', 1],
    ['HOSTNAME_MISMATCH', 'certificate-name-mismatch', 1],
    ['IP_ADDRESS_MISMATCH', 'certificate-name-mismatch', 1],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'certificate-untrusted', 1],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'certificate-untrusted', 1],
    ['EE_KEY_TOO_SMALL', 'certificate-untrusted', 1],
    ['CERTIFICATE_77', 'certificate-untrusted', 1],
    ['SETTINGS', 'client-certificate-rejected', 1],
  ] as const) {
    it(`ends by ${code} as ${reason} in ${attempts} attempts`, async () => {
      const host = new Host();
      host.script.onOpen = (helper) => helper.fail(code);
      assert.equal(await host.failToConnect(), reason);
      assert.equal(host.script.opened.length, attempts);
      assert.equal(host.sent, '');
    });
  }

  it('is always a full one with a client certificate', async () => {
    const host = new Host({ pins: [], client: { cert: 'cert', key: { reveal: () => 'key' } as never } });
    const socket = await host.connect();
    await host.clock.advance(IDLE_MS_MAX);
    await socket.prepare(never);
    assert.deepEqual(
      host.script.opened.map(({ isFull }) => isFull),
      [true, true],
    );
  });
});

describe('a socket with a link', () => {
  it('passes datagrams on in both directions and reports its peer', async () => {
    const host = new Host();
    const socket = await host.connect();
    const peers: string[] = [];
    socket.on('message', (_bytes: Buffer, from: { address: string; port: number }) =>
      peers.push(`${from.address}:${from.port}`),
    );
    send(socket, 'request');
    host.script.last.receive('response');
    assert.deepEqual([host.sent, host.received, peers], ['request', ['response'], ['192.0.2.7:5684']]);
  });

  it('never sends a message that the server would drop', async () => {
    const host = new Host();
    const socket = await host.connect();
    const results: unknown[] = [];
    for (const length of [1_024, 1_025])
      socket.send(Buffer.alloc(length), (error) => results.push(error && networkFailure(error, '').reason));
    assert.deepEqual(results, [null, 'request-build-failed']);
    assert.equal(host.script.last.datagrams.length, 1);
  });

  it('shakes hands before a request after a minute without a datagram, not earlier', async () => {
    const host = new Host();
    const socket = await host.connect();
    await host.clock.advance(IDLE_MS_MAX - 1);
    await socket.prepare(never);
    send(socket, 'a');
    await host.clock.advance(IDLE_MS_MAX - 1);
    host.script.last.receive('b');
    await host.clock.advance(IDLE_MS_MAX - 1);
    await socket.prepare(never);
    assert.deepEqual([host.script.opened.length, host.lost], [1, 0]);
    await host.clock.advance(1);
    await socket.prepare(never);
    assert.deepEqual([host.script.opened.length, host.lost], [2, 1]);
    assert.equal(host.script.helpers.length, 1);
  });

  it('ends without an error when the server closes it, and with one if the port is closed', async () => {
    const host = new Host();
    const socket = await host.connect();
    host.script.last.down('CLOSE_NOTIFY');
    assert.deepEqual([host.errors, host.lost], [[], 1]);
    await socket.prepare(never);
    host.script.last.down('ECONNREFUSED');
    assert.deepEqual([host.errors, host.lost], [['port-closed'], 2]);
    send(socket, 'next');
    await settle();
    assert.deepEqual([host.script.opened.length, host.sent], [3, 'next']);
  });

  it('ignores what the link before it still sends during a handshake', async () => {
    const host = new Host();
    const socket = await host.connect();
    const helper = host.script.last;
    host.script.onOpen = () => {
      helper.receive('late');
      helper.down('CLOSE_NOTIFY');
      helper.up();
    };
    await host.clock.advance(IDLE_MS_MAX);
    assert.ok((await socket.prepare(never)).ok);
    helper.receive('new');
    assert.deepEqual([host.received, host.lost], [['new'], 1]);
  });

  it('that ends together with its handshake is none', async () => {
    const host = new Host();
    host.script.onOpen = (helper) => {
      helper.up();
      helper.down('CLOSE_NOTIFY');
    };
    assert.equal(await host.failToConnect(), 'connection-reset');
  });

  it('sends nothing and ends its helper after it is closed', async () => {
    const host = new Host();
    const socket = await host.connect();
    socket.close();
    send(socket, 'late');
    host.script.last.receive('late');
    await settle();
    assert.deepEqual([host.sent, host.received, host.script.opened.length], ['', [], 1]);
    assert.equal(host.script.last.quits, 1);
    await host.endpoint[Symbol.asyncDispose]();
    assert.ok(host.script.last.isClosed);
  });
});

describe('a repeated request', () => {
  const request = Buffer.from('request');
  const sendRequest = (socket: DtlsSocket) => {
    socket.beforeRequest(request);
    socket.send(request, () => {});
  };

  it('shakes hands at once on a link that only the client knows to be up', async () => {
    const host = new Host();
    host.script.onOpen = (helper) => helper.up({ isResumed: true });
    const socket = await host.connect();
    assert.equal(socket.isConfirmed, false);
    sendRequest(socket);
    await host.clock.advance(200);
    sendRequest(socket);
    await settle();
    assert.deepEqual([host.script.opened.length, host.lost, host.sent], [2, 1, 'request request']);
  });

  it('goes over a confirmed link once, because the server replays its response there', async () => {
    const host = new Host();
    const socket = await host.connect();
    assert.equal(socket.isConfirmed, true);
    for (let sending = 1; sending <= 2; sending += 1) {
      sendRequest(socket);
      await host.clock.advance(200);
    }
    assert.equal(host.script.opened.length, 1);
    sendRequest(socket);
    await settle();
    assert.deepEqual([host.script.opened.length, host.sent], [2, 'request request request']);
  });

  it('does not shake hands while the server answers other requests', async () => {
    const host = new Host();
    const socket = await host.connect();
    for (let sending = 1; sending <= 6; sending += 1) {
      sendRequest(socket);
      await host.clock.advance(200);
      host.script.last.receive('to another request');
    }
    assert.equal(host.script.opened.length, 1);
  });

  it('counts from the handshake on: one caused by another request is none of its own', async () => {
    const host = new Host();
    const socket = await host.connect();
    sendRequest(socket);
    host.script.onOpen = (helper) => helper.up({ isResumed: true });
    host.script.last.down('CLOSE_NOTIFY');
    await socket.prepare(never);
    sendRequest(socket);
    assert.equal(host.script.opened.length, 2);
    await host.clock.advance(200);
    sendRequest(socket);
    await settle();
    assert.equal(host.script.opened.length, 3);
  });
});

describe('the helper', () => {
  it('that ends is started again at once, and what was sent meanwhile leaves then', async () => {
    const host = new Host();
    const socket = await host.connect();
    await host.clock.advance(60_000);
    host.script.last.die();
    assert.deepEqual([host.lost, host.errors], [1, []]);
    send(socket, 'again');
    await settle();
    assert.equal(host.script.helpers.length, 2);
    assert.equal(host.script.last.datagrams.length, 1);
  });

  it('that ends early again and again is started after growing pauses, at most 30 s', async () => {
    const host = new Host();
    const socket = await host.connect();
    const startsMs: number[] = [];
    host.script.onOpen = (helper) => {
      startsMs.push(host.clock.monotonicMs());
      helper.die();
    };
    host.script.last.die();
    for (let minute = 0; minute < 10; minute += 1) {
      void socket.prepare(never);
      for (let second = 0; second < 60; second += 1) await host.clock.advance(1_000);
    }
    const pauses = startsMs.slice(1).map((startMs, index) => startMs - (startsMs[index] ?? 0));
    assert.ok(startsMs.length > 8 && startsMs.length < 40, `${startsMs.length} starts`);
    assert.ok(
      pauses.every((pauseMs) => pauseMs >= 500),
      `${pauses}`,
    );
    assert.ok(
      pauses.slice(-3).every((pauseMs) => pauseMs >= 20_000),
      `${pauses}`,
    );
  });

  it('that cannot run fails the handshake as dtls-unavailable', async () => {
    const host = new Host();
    host.script.onOpen = (helper) => helper.die('ended with code 127: libssl.so.3: cannot open');
    assert.equal(await host.failToConnect(), 'dtls-unavailable');
    assert.equal(host.script.helpers.length, 3);
  });

  it('of another version fails the handshake at once', async () => {
    const host = new Host();
    host.script.onOpen = (helper) => helper.die('is older than protocol 1', 'mismatch');
    assert.equal(await host.failToConnect(), 'dtls-version-mismatch');
    assert.equal(host.script.helpers.length, 1);
  });

  it('that sends an invalid frame is ended and replaced', async () => {
    for (const [type, payload] of [
      ['Z', Buffer.alloc(0)],
      ['D', Buffer.alloc(16_385)],
      ['F', Buffer.from('NO END')],
      ['X', Buffer.from('lower case')],
    ] as const) {
      const host = new Host();
      const socket = await host.connect();
      const [first] = host.script.helpers;
      first?.emit(type, payload);
      assert.deepEqual([first?.isClosed, host.lost], [true, 1], type);
      first?.receive('of the ended one');
      const prepared = socket.prepare(never);
      for (let step = 0; step < 5; step += 1) await host.clock.advance(500);
      assert.ok((await prepared).ok);
      assert.deepEqual([host.script.helpers.length, host.received], [2, []]);
    }
  });

  it('of one socket is taken over by the next one, with its session', async () => {
    const host = new Host();
    const first = await host.connect();
    const second = await host.connect();
    assert.deepEqual([host.script.helpers.length, host.lost], [1, 1]);
    first.close();
    send(second, 'over the new link');
    assert.deepEqual([host.sent, host.script.last.quits], ['over the new link', 0]);
  });

  it('is one for each of the sockets that shake hands at once; one remains', async () => {
    const host = new Host();
    host.script.onOpen = () => {};
    const sockets = [host.openSocket(), host.openSocket()] as const;
    const connecting = sockets.map((socket) => connectSocket(socket, PEER).catch(() => {}));
    await settle();
    const [slow, fast] = host.script.helpers;
    fast?.up();
    await connecting[1];
    sockets[0].close();
    await settle();
    assert.deepEqual([slow?.isClosed, fast?.isClosed], [true, false]);
    await host.clock.advance(IDLE_MS_MAX);
    host.script.onOpen = (helper) => helper.up();
    await sockets[1].prepare(never);
    assert.equal(host.script.helpers.length, 2);
  });

  it('ends when the signal of a connecting socket aborts', async () => {
    const host = new Host();
    host.script.onOpen = () => {};
    const socket = host.openSocket();
    const stop = new AbortController();
    const connecting = connectSocket(socket, PEER, stop.signal);
    await settle();
    stop.abort();
    await assert.rejects(connecting);
    socket.close();
    await settle();
    assert.ok(host.script.last.isClosed);
  });
});
