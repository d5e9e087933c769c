/**
 * Endless responses through a real nginx that forwards each byte: they fail at the deadline of the whole
 * request, because each byte would restart an idle timeout. nginx forwards a header only when it is complete,
 * so a slow header comes from its rate limit.
 */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Socket } from 'node:net';
import { describe, it } from 'node:test';
import { Delivery } from '../../../src/core/delivery/delivery.ts';
import { FAILURE_SENTENCES } from '../../../src/core/events/failure-sentences.ts';
import { LossReport } from '../../../src/core/model/loss-report.ts';
import { TieredOutbox } from '../../../src/outbox/outbox.ts';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import { Authority } from '../../doubles/certificates.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { freeTcpPort } from '../../free-port.ts';
import { until } from '../../until.ts';
import {
  ACCEPTED,
  clock,
  neverAborted,
  noNginx,
  openUpstream,
  Program,
  post,
  sandboxWithDevice,
  TOKEN,
  transportTo,
  type Upstream,
  writeNginxConfig,
} from './helpers/foreign-programs.ts';

const timeout = 60_000;
const PATIENCE_MS = 700;
/** Pause between two parts, much shorter than the timeout. */
const PART_PAUSE_MS = 20;

/** Sends `head` at once, then `part` repeatedly until the connection closes; `parts` counts them. */
function createSlowAnswer(head: string, part: string): Upstream['answer'] & { parts: number } {
  const answer = async (socket: Socket) => {
    socket.write(head);
    while (!socket.destroyed) {
      await clock.sleep(PART_PAUSE_MS, neverAborted);
      socket.write(part);
      slowAnswer.parts += 1;
    }
  };
  const slowAnswer = Object.assign((socket: Socket) => void answer(socket), { parts: 0 });
  return slowAnswer;
}

const atOnce = (text: string) =>
  Object.assign((socket: Socket) => void socket.write(text), { parts: Infinity });
/** nginx forwards each byte (proxy_buffering off). */
const AT_ONCE = 'HTTP/1.1 200 OK\r\nX-Accel-Buffering: no\r\n';
const head = (line: string) => `${AT_ONCE}${line}\r\n\r\n`;
/** nginx has the whole response and forwards it slowly (limit_rate). */
const limited = (bytesPerS: number, body: string) =>
  atOnce(
    `HTTP/1.1 200 OK\r\nX-Accel-Limit-Rate: ${bytesPerS}\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
const BIG = 'x'.repeat(60_000);

const SLOW: readonly (readonly [what: string, answer: Upstream['answer'] & { parts: number }])[] = [
  ['with a slow header behind nginx', createSlowAnswer(`${AT_ONCE}X: `, 'y')],
  ['with a slow body', createSlowAnswer(head('Content-Length: 100000'), 'y')],
  ['without an end', createSlowAnswer(head('Transfer-Encoding: chunked'), '1\r\ny\r\n')],
  ['over the size limit', createSlowAnswer(head('Content-Length: 10000000'), 'y'.repeat(100))],
  ['at 20 bytes/s including the header', limited(20, '')],
  ['at 500 bytes/s', limited(500, BIG)],
];

/** Number of sockets of this process that are connected or connecting to the port. */
function connectionsTo(port: number): number {
  const ours = new Set(readdirSync('/proc/self/fd').map(inodeOf));
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return readFileSync('/proc/self/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , remote = '', , , , , , , inode]) => remote.endsWith(suffix) && ours.has(inode)).length;
}

function inodeOf(fd: string): string | undefined {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1];
  } catch {
    return undefined; // closed meanwhile
  }
}

async function setup(answer: Upstream['answer']) {
  const authority = new Authority();
  const upstream = await openUpstream(answer);
  const nginx = new Program();
  const port = await freeTcpPort();
  const more = 'proxy_read_timeout 60s;';
  const words = writeNginxConfig(nginx, { port, behind: upstream.port, pem: authority.issue(), more });
  await nginx.start(words, port);
  const transport = transportTo({ port, ca: authority.pem.cert, patienceMs: PATIENCE_MS });
  const close = async () => {
    for (const each of [transport, nginx, upstream]) await each[Symbol.asyncDispose]();
    authority[Symbol.dispose]();
  };
  return { upstream, port, transport, [Symbol.asyncDispose]: close };
}

describe('a slow response through nginx', { skip: noNginx }, () => {
  for (const [what, answer] of SLOW) {
    it(`a response ${what} times out, and the next post succeeds`, {
      timeout,
    }, async () => {
      await using harness = await setup(answer);
      for (const kind of ['dated', 'undated'] as const) {
        const { body, reason, detail } = await post(harness.transport, kind);
        assert.deepEqual(
          [reason, detail],
          ['server-timeout', `no response from localhost:${harness.port} within 1 s`],
        );
        assert.match(FAILURE_SENTENCES['server-timeout'], /does not respond: check/);
        assert.ok(answer.parts >= 3, 'the connection was not idle at the timeout');
        await until(() => connectionsTo(harness.port) === 0);
        assert.equal(
          harness.upstream.bodies.filter((each) => each === body).length,
          1,
          'the request was sent once',
        );
      }
      harness.upstream.answer = (socket) => socket.write(ACCEPTED);
      assert.equal((await post(harness.transport)).reason, 'ok');
    });
  }

  it('a response over the size limit is cut off as unexpected-response', {
    timeout,
  }, async () => {
    await using harness = await setup((socket) => socket.write(head(`Content-Length: ${BIG.length}`) + BIG));
    assert.equal((await post(harness.transport)).reason, 'unexpected-response');
    await until(() => connectionsTo(harness.port) === 0);
    harness.upstream.answer = (socket) => socket.write(ACCEPTED);
    assert.equal((await post(harness.transport)).reason, 'ok');
  });
});

/** The sandbox stores each post; only the first response is slow. */
async function slowOnce(sandbox: Sandbox) {
  let answers = 0;
  const answerSlowly = createSlowAnswer(head('Content-Length: 100'), 'y');
  return setup((socket, body) => {
    const url = `http://127.0.0.1:${sandbox.httpPort}/api/v1/${TOKEN.reveal()}/telemetry`;
    answers += 1;
    const isFirst = answers === 1;
    void fetch(url, { method: 'POST', body }).then(() => {
      if (isFirst) answerSlowly(socket, body);
      else socket.write(ACCEPTED);
    });
  });
}

function deliveryOver(transport: ReturnType<typeof transportTo>) {
  const log = new RecordingLogger();
  const stamp = () => ({ bootId: clock.bootId, bootMs: clock.bootMs() });
  const outbox = new TieredOutbox(
    { clock, log, losses: new LossReport(), now: stamp },
    { spoolAfterMs: 600_000, flushEveryMs: 600_000 },
  );
  const facts = { gather: async () => ({}) };
  const ports = { clock, random: new FixedRandom(0.5), outbox, transport, facts, log };
  return { outbox, delivery: new Delivery(ports, { drainPerS: 10, drainSpreadMs: 0 }) };
}

describe('a reading with a slow response', { skip: noNginx }, () => {
  it('a dated reading is sent again after a slow response and stored once', { timeout }, async () => {
    await using sandbox = await sandboxWithDevice();
    await using harness = await slowOnce(sandbox);
    const { outbox, delivery } = deliveryOver(harness.transport);
    for (const tsMs of [1, 2, 3])
      outbox.append({ bootId: 'b', bootMs: tsMs, tsMs, values: { n: tsMs }, isSnapshot: true });
    const first = await delivery.step(TOKEN, neverAborted);
    assert.equal(first.type === 'failed' && first.failure.reason, 'server-timeout');
    assert.equal(outbox.size, 3, 'no reading is removed before the server has accepted it');
    assert.deepEqual(await delivery.step(TOKEN, neverAborted), { type: 'delivered' });
    assert.equal(outbox.size, 0);
    assert.deepEqual(harness.upstream.bodies[1], harness.upstream.bodies[0], 'the same bytes');
    const points = new Set(sandbox.points({ key: 'n' }).map(({ ts, value }) => `${ts} ${value}`));
    assert.deepEqual([...points], ['1 1', '2 2', '3 3']);
  });

  it('an undated reading is not sent again before it has a timestamp', { timeout }, async () => {
    await using sandbox = await sandboxWithDevice();
    await using harness = await slowOnce(sandbox);
    const { outbox, delivery } = deliveryOver(harness.transport);
    const append = (n: number) =>
      outbox.append({
        bootId: clock.bootId,
        bootMs: Math.round(clock.bootMs()),
        values: { n },
        isSnapshot: true,
      });
    append(1);
    const first = await delivery.step(TOKEN, neverAborted);
    assert.equal(first.type === 'failed' && first.failure.reason, 'server-timeout');
    append(2);
    assert.deepEqual(await delivery.step(TOKEN, neverAborted), { type: 'delivered' });
    assert.deepEqual(harness.upstream.bodies, ['[{"n":1}]', '[{"n":2}]']);
    assert.equal(outbox.size, 1, 'the first waits');
    await outbox.setBootOffset(1_000_000);
    assert.deepEqual(await delivery.step(TOKEN, neverAborted), { type: 'delivered' });
    assert.match(harness.upstream.bodies[2] ?? '', /^\[\{"ts":\d+,"values":\{"n":1\}\}\]$/);
    assert.deepEqual([harness.upstream.bodies.length, outbox.size], [3, 0]);
  });
});
