/** Long polls: when the agent polls and reads, in virtual time, and that polls leave connections to telemetry. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, it } from 'node:test';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import { aborted, type Result } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import type { Subscriptions } from '../../../src/core/ports/downlink.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { LongPolls, POLL_INTERVALS, type PollRequest } from '../../../src/transport/http/long-polls.ts';
import type { HttpResponse } from '../../../src/transport/http/response.ts';
import { HttpTransport } from '../../../src/transport/http/transport.ts';
import { RecordingListener } from '../../doubles/recording-listener.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const BOTH: Subscriptions = { attributes: true, commands: true };
const MINUTE_MS = 60_000;

function response(status: number, body = ''): HttpResponse {
  const contentType = body === '' ? '' : 'application/json';
  return {
    status,
    body,
    bytes: Buffer.from(body),
    contentType,
    location: undefined,
    requiresLogin: false,
    retryAfterMs: undefined,
    proxy: undefined,
    serverName: undefined,
  };
}

/** A server in virtual time that answers each poll with what waits for it, or with 408 at its time. */
class PolledServer {
  readonly clock = new VirtualClock();
  readonly heard = new RecordingListener();
  readonly log = new RecordingLogger();
  readonly requests: { readonly path: string; readonly atMs: number }[] = [];
  readonly waiting: Readonly<Record<'attributes/updates' | 'rpc', HttpResponse[]>> = {
    'attributes/updates': [],
    rpc: [],
  };
  readonly replies = new AsyncSignal();
  /** Answers every poll for commands, as a command without a reply does. */
  pending: HttpResponse | undefined;
  attributes = '{}';
  readonly #stop = new AbortController();
  readonly end: Promise<Result<void>>;

  constructor(subscriptions: Subscriptions = BOTH) {
    const { clock, log } = this;
    const get = (request: PollRequest, signal: AbortSignal) => this.#get(request, signal);
    const { replies } = this;
    const ports = { clock, log, intervals: POLL_INTERVALS, replies, get };
    const polls = new LongPolls(subscriptions, this.heard, ports);
    this.end = polls.run(this.#stop.signal);
  }

  stop(): void {
    this.#stop.abort();
  }

  times(path: string): number[] {
    return this.requests.flatMap((request) => (request.path === path ? [request.atMs] : []));
  }

  async #get({ path, isPoll }: PollRequest, signal: AbortSignal): Promise<Result<HttpResponse>> {
    this.requests.push({ path, atMs: this.clock.monotonicMs() });
    if (!isPoll) return { ok: true, value: response(200, `{"shared":${this.attributes}}`) };
    const [name = '', timeoutMs] = path.split('?timeout=');
    if (name === 'rpc' && this.pending) return { ok: true, value: this.pending };
    const queue = this.waiting[name as 'rpc'];
    const untilMs = this.clock.monotonicMs() + Number(timeoutMs);
    while (queue.length === 0 && this.clock.monotonicMs() < untilMs && !signal.aborted)
      await this.clock.sleep(Math.min(100, untilMs - this.clock.monotonicMs()), signal);
    if (signal.aborted) return aborted();
    return { ok: true, value: queue.shift() ?? response(408) };
  }
}

describe('long polls', () => {
  it('follow each other every 25 s, after one of 1 s that confirms the subscription', async () => {
    const server = new PolledServer();
    await server.clock.advance(1_000);
    assert.equal(server.heard.registrations, 1);
    await server.clock.advance(60_000);
    assert.deepEqual(server.times('rpc?timeout=1000'), [0]);
    assert.deepEqual(server.times('rpc?timeout=25000'), [1_000, 26_000, 51_000]);
    assert.deepEqual(server.times('attributes/updates?timeout=25000'), [0, 25_000, 50_000]);
    server.stop();
    assert.deepEqual(await server.end, aborted());
  });

  it('read all attributes at the start, after each change and every five minutes', async () => {
    const server = new PolledServer({ attributes: true, commands: false });
    await server.clock.advance(10_000);
    server.attributes = '{"a":1}';
    server.waiting['attributes/updates'].push(response(200, '{"a":1}'));
    await server.clock.advance(10_000);
    assert.deepEqual(server.heard.attributes, { a: 1 });
    await server.clock.advance(10 * MINUTE_MS);
    const [first, second, ...later] = server.times('attributes');
    assert.equal(first, 0);
    assert.ok(second !== undefined && second >= 10_000 && second <= 10_200);
    assert.equal(later.length, 2);
    assert.ok(later[0] !== undefined && later[0] - second >= 5 * MINUTE_MS);
    assert.ok(later[0] - second < 5.5 * MINUTE_MS);
    server.stop();
    await server.end;
  });

  it('read all attributes at most every five seconds, whatever the server changes', async () => {
    const server = new PolledServer({ attributes: true, commands: false });
    const changes = 600;
    for (let change = 1; change <= changes; change += 1) {
      server.attributes = JSON.stringify({ a: change });
      server.waiting['attributes/updates'].push(response(200, server.attributes));
      await server.clock.advance(100);
    }
    const times = server.times('attributes');
    assert.ok(times.length >= 10, `${times.length} reads`);
    for (const [index, atMs] of times.slice(1).entries()) assert.ok(atMs - (times[index] ?? 0) >= 5_000);
    await server.clock.advance(5_000);
    assert.deepEqual(server.heard.attributes, { a: changes });
    server.stop();
    await server.end;
  });

  it('confirm the subscriptions again every few minutes', async () => {
    const server = new PolledServer();
    await server.clock.advance(60 * MINUTE_MS);
    assert.ok(server.heard.registrations >= 12 && server.heard.registrations <= 15);
    server.stop();
    await server.end;
  });

  it('end together with the first failure', async () => {
    const server = new PolledServer();
    await server.clock.advance(2_000);
    server.waiting.rpc.push(response(500));
    await server.clock.advance(1_000);
    const end = await server.end;
    assert.equal(end.ok ? 'ok' : end.failure.reason, 'server-overloaded');
    const requests = server.requests.length;
    await server.clock.advance(5 * MINUTE_MS);
    assert.equal(server.requests.length, requests);
  });

  it('end ok when the device is deleted', async () => {
    const server = new PolledServer({ attributes: false, commands: true });
    await server.clock.advance(2_000);
    server.waiting.rpc.push(response(403, 'Device was deleted!'));
    await server.clock.advance(1_000);
    assert.deepEqual(await server.end, { ok: true, value: undefined });
  });

  it('deliver a command once that the server repeats until its reply', async () => {
    const server = new PolledServer({ attributes: false, commands: true });
    await server.clock.advance(2_000);
    server.pending = response(200, '{"id":0,"method":"slow"}');
    await server.clock.advance(58_000);
    assert.equal(server.heard.commands.length, 1);
    assert.ok(server.times('rpc?timeout=25000').length < 20);
    server.pending = response(200, '{"id":1,"method":"next"}');
    server.replies.notify();
    await server.clock.advance(100);
    assert.deepEqual(
      server.heard.commands.map(({ id }) => id),
      [0, 1],
    );
    // With another reply in between it is a new command, for example after a restart of the server.
    server.replies.notify();
    await server.clock.advance(100);
    assert.equal(server.heard.commands.length, 3);
    server.stop();
    await server.end;
  });

  it('deliver the same one-way command again after an empty poll', async () => {
    const server = new PolledServer({ attributes: false, commands: true });
    await server.clock.advance(2_000);
    const command = response(200, '{"id":0,"method":"reload"}');
    server.waiting.rpc.push(command);
    await server.clock.advance(30_000);
    server.waiting.rpc.push(command);
    await server.clock.advance(30_000);
    assert.equal(server.heard.commands.length, 2);
    server.stop();
    await server.end;
  });

  it('are limited when a server answers at once, and this is reported once', async () => {
    const server = new PolledServer({ attributes: false, commands: true });
    const commands = Array.from({ length: 400 }, (_, id) => response(200, `{"id":${id},"method":"x"}`));
    server.waiting.rpc.push(...commands);
    await server.clock.advance(10_000);
    const heard = server.heard.commands.length;
    assert.ok(heard >= 32 && heard <= 32 + 41, `${heard} commands`);
    assert.deepEqual(server.log.events, ['FL-DOWNLINK-LIMITED']);
    server.stop();
    await server.end;
  });
});

describe('long polls over connections', () => {
  it('leave four connections to telemetry and one to replies, and are not measured', {
    timeout: 20_000,
  }, async () => {
    let polls = 0;
    const held: (() => void)[] = [];
    const posts: (() => void)[] = [];
    const server = createServer((request, reply) => {
      const url = request.url ?? '';
      request.resume();
      if (url.includes('timeout=')) {
        polls += 1;
        held.push(() => reply.writeHead(408).end());
      } else if (request.method === 'GET') reply.end('{}');
      else {
        posts.push(() => reply.end());
        // Answers when all are here: four posts and one reply.
        if (posts.length === 5) for (const answer of posts) answer();
      }
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const roundTripsMs: number[] = [];
    const settings = {
      scheme: 'http',
      host: '127.0.0.1',
      port,
      tls: { pins: [] },
      userAgent: 'firstlight/test',
    } as const;
    const transport = new HttpTransport(settings, {
      clock: hostClock(),
      log: new RecordingLogger(),
      onRoundTrip: (ms) => roundTripsMs.push(ms),
    });
    const token = new Secret('token');
    const stop = new AbortController();
    const heard = new RecordingListener();
    const listening = transport.listen(token, BOTH, heard, stop.signal);
    await heard.until(({ updates }) => updates.length > 0);
    const until = async (isTrue: () => boolean) => {
      while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    await until(() => polls === 2);
    const { signal } = stop;
    const requests: Promise<Result<void>>[] = [];
    // One after the other: the agent of Node counts a connection when it is open.
    for (const n of [1, 2, 3, 4]) {
      requests.push(transport.postTelemetry(token, `{"n":${n}}`, signal));
      await until(() => posts.length === n);
    }
    requests.push(transport.reply(token, 0, '{}', signal));
    const results = await Promise.all(requests);
    assert.deepEqual(
      results.map(({ ok }) => ok),
      Array(5).fill(true),
    );
    assert.equal(roundTripsMs.length, 6);
    for (const release of held) release();
    stop.abort();
    await listening;
    await transport[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.equal(roundTripsMs.length, 6);
  });

  it('use one connection as long as the server keeps it', { timeout: 20_000 }, async () => {
    let connections = 0;
    let polls = 0;
    let finish = () => {};
    const finished = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const server = createServer((_request, reply) => {
      polls += 1;
      setTimeout(() => reply.writeHead(408).end(), 10);
      if (polls === 10) finish();
    });
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const settings = {
      scheme: 'http',
      host: '127.0.0.1',
      port,
      tls: { pins: [] },
      userAgent: 'firstlight/test',
    } as const;
    const transport = new HttpTransport(settings, {
      clock: hostClock(),
      log: new RecordingLogger(),
      polls: { ...POLL_INTERVALS, pollMs: 10, firstPollMs: 10 },
    });
    const stop = new AbortController();
    const commands = { attributes: false, commands: true };
    const listening = transport.listen(new Secret('token'), commands, new RecordingListener(), stop.signal);
    await finished;
    stop.abort();
    await listening;
    await transport[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.equal(connections, 1);
  });

  it('read at most 64 KiB of a response', { timeout: 20_000 }, async () => {
    let sentBytes = 0;
    const server = createServer((_request, reply) => {
      reply.setHeader('Content-Type', 'application/json');
      const chunk = Buffer.alloc(16_384, ' ');
      const write = (): void => {
        if (reply.destroyed) return;
        sentBytes += chunk.length;
        if (reply.write(chunk)) setImmediate(write);
        else reply.once('drain', write);
      };
      reply.write('{"shared":');
      write();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const settings = {
      scheme: 'http',
      host: '127.0.0.1',
      port,
      tls: { pins: [] },
      userAgent: 'firstlight/test',
    } as const;
    const transport = new HttpTransport(settings, { clock: hostClock(), log: new RecordingLogger() });
    const end = await transport.listen(
      new Secret('token'),
      { attributes: true, commands: false },
      new RecordingListener(),
      new AbortController().signal,
    );
    assert.deepEqual(end, {
      ok: false,
      failure: { reason: 'unexpected-response', detail: 'response 200, longer than allowed' },
    });
    await transport[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    assert.ok(sentBytes < 20_000_000, `${sentBytes} bytes`);
  });
});
