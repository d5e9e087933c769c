/**
 * The contract of `Downlink`: what the server sends arrives, and arrives again after each loss; the end is a value.
 * `make` starts a server with one device whose token is DEVICE_TOKEN.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FailureReason, Result } from '../../src/core/failures/failure.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { Downlink, Subscriptions } from '../../src/core/ports/downlink.ts';
import type { Transport } from '../../src/core/ports/transport.ts';
import { RecordingListener } from '../doubles/recording-listener.ts';

export const DEVICE_TOKEN = 'sLzc0gDAZPkGMzFVTyUY';

export type DownlinkUnderTest = Downlink & Pick<Transport, 'postTelemetry'> & AsyncDisposable;

export interface DownlinkServer extends AsyncDisposable {
  /** A downlink that notices a lost subscription within about a second. */
  open(): DownlinkUnderTest;
  setAttributes(values: Readonly<Record<string, unknown>>): void;
  deleteAttributes(keys: readonly string[]): void;
  /** Sends a command and returns the body of its reply; undefined if there is none within 10 s. */
  command(method: string, params?: unknown): Promise<string | undefined>;
  /** Forgets the subscriptions without notice, and keeps the rest. */
  forget(): void;
  restart(): void;
  deleteDevice(): void;
}

const TOKEN = new Secret(DEVICE_TOKEN);
const BOTH: Subscriptions = { attributes: true, commands: true };
const never = new AbortController().signal;
const timeout = 20_000;

/** Listens like the agent: again after every end, until it is disposed of. */
class Listening implements AsyncDisposable {
  readonly heard = new RecordingListener();
  readonly results: (FailureReason | 'ok')[] = [];
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;

  constructor(downlink: Downlink, subscriptions: Subscriptions = BOTH, token = TOKEN) {
    this.#running = this.#run(downlink, subscriptions, token);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(downlink: Downlink, subscriptions: Subscriptions, token: Secret): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      this.results.push(reasonOf(await downlink.listen(token, subscriptions, this.heard, signal)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

function reasonOf(result: Result<unknown>): FailureReason | 'ok' {
  return result.ok ? 'ok' : result.failure.reason;
}

function replyOf(bytes: number): string {
  const empty = JSON.stringify({ text: '' });
  return JSON.stringify({ text: 'x'.repeat(bytes - empty.length) });
}

export function downlinkContract(
  name: string,
  make: () => Promise<DownlinkServer>,
  skip: string | false = false,
): void {
  const options = { skip, concurrency: 4 };
  describe(`${name} keeps the downlink contract: attributes`, options, () => attributes(make));
  describe(`${name} keeps the downlink contract: commands`, options, () => commands(make));
  describe(`${name} keeps the downlink contract: losses`, options, () => losses(make));
  describe(`${name} keeps the downlink contract: ends`, options, () => ends(make));
}

function attributes(make: () => Promise<DownlinkServer>): void {
  it('a registration reports all shared attributes before it is confirmed', { timeout }, async () => {
    await using server = await make();
    server.setAttributes({ telemetryInterval: 60, name: 'x', nested: { a: [1, null] } });
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    await listening.heard.until(({ registrations }) => registrations > 0);
    assert.deepEqual(listening.heard.updates[0], {
      is: 'all',
      values: { telemetryInterval: 60, name: 'x', nested: { a: [1, null] } },
    });
  });

  it('a device without shared attributes gets an empty object', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    await listening.heard.until(({ registrations }) => registrations > 0);
    assert.deepEqual(listening.heard.updates[0], { is: 'all', values: {} });
  });

  it('a change, a further one and a deletion arrive', { timeout }, async () => {
    await using server = await make();
    server.setAttributes({ a: 1 });
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    const { heard } = listening;
    await heard.until(({ registrations }) => registrations > 0);
    server.setAttributes({ b: 2 });
    await heard.until(({ attributes: { b } }) => b === 2);
    server.setAttributes({ b: 3 });
    await heard.until(({ attributes: { b } }) => b === 3);
    server.deleteAttributes(['a']);
    await heard.until(({ attributes: all }) => !Object.hasOwn(all, 'a'));
    assert.deepEqual(heard.attributes, { b: 3 });
  });

  it('attributes of more than one datagram arrive whole, and their changes', { timeout }, async () => {
    await using server = await make();
    const large = Object.fromEntries(Array.from({ length: 60 }, (_, n) => [`key${n}`, 'v'.repeat(80)]));
    server.setAttributes(large);
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    await listening.heard.until(({ registrations }) => registrations > 0);
    assert.deepEqual(listening.heard.attributes, large);
    const changed = { key1: 'w'.repeat(3_000) };
    server.setAttributes(changed);
    await listening.heard.until(({ attributes: { key1 } }) => key1 === changed.key1);
    assert.deepEqual(listening.heard.attributes, { ...large, ...changed });
  });

  it('a burst of changes ends in the last state', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    await using listening = new Listening(downlink, { attributes: true, commands: false });
    await listening.heard.until(({ registrations }) => registrations > 0);
    for (let n = 0; n < 100; n += 1) server.setAttributes({ [`key${n % 10}`]: n });
    const last = Object.fromEntries(Array.from({ length: 10 }, (_, n) => [`key${n}`, 90 + n]));
    await listening.heard.until(({ attributes: all }) =>
      Object.entries(last).every(([key, value]) => all[key] === value),
    );
    assert.deepEqual(listening.heard.commands, []);
  });
}

function commands(make: () => Promise<DownlinkServer>): void {
  for (const [size, bytes] of [
    ['a small reply', 40],
    ['a reply of one datagram', 1_024],
    ['a reply of 5 kB', 5_000],
    ['a reply of 64 kB', 65_536],
  ] as const) {
    it(`a command arrives and ${size} reaches the server`, { timeout }, async () => {
      await using server = await make();
      await using downlink = server.open();
      await using listening = new Listening(downlink);
      const { heard } = listening;
      await heard.until(({ registrations }) => registrations > 0);
      const replied = server.command('reboot', { delay: 5 });
      await heard.until((each) => each.commands.length > 0);
      const [command] = heard.commands;
      assert.deepEqual(command, { id: 0, method: 'reboot', params: { delay: 5 } });
      const body = replyOf(bytes);
      assert.deepEqual(await downlink.reply(TOKEN, command?.id ?? -1, body, never), {
        ok: true,
        value: undefined,
      });
      assert.equal(await replied, body);
    });
  }

  it('a command that waits on the server arrives after the registration', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const replied = server.command('ping');
    await using listening = new Listening(downlink, { attributes: false, commands: true });
    await listening.heard.until((each) => each.commands.length > 0);
    assert.deepEqual(listening.heard.commands, [{ id: 0, method: 'ping', params: null }]);
    assert.deepEqual(listening.heard.updates, []);
    await downlink.reply(TOKEN, 0, '{"ok":true}', never);
    assert.equal(await replied, '{"ok":true}');
  });

  it('parameters of more than one datagram arrive whole', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    await listening.heard.until(({ registrations }) => registrations > 0);
    const params = { list: Array.from({ length: 500 }, (_, n) => `item ${n}`) };
    const replied = server.command('set', params);
    await listening.heard.until((each) => each.commands.length > 0);
    assert.deepEqual(listening.heard.commands, [{ id: 0, method: 'set', params }]);
    await downlink.reply(TOKEN, 0, '{}', never);
    assert.equal(await replied, '{}');
  });

  it('five commands at once all arrive', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    await listening.heard.until(({ registrations }) => registrations > 0);
    const replies = Promise.all([0, 1, 2, 3, 4].map((n) => server.command('count', n)));
    const answered = new Set<number>();
    for (let heard = 0; answered.size < 5; heard += 1) {
      await listening.heard.until((each) => each.commands.length > heard);
      const command = listening.heard.commands[heard];
      if (!command || answered.has(command.id)) continue;
      answered.add(command.id);
      await downlink.reply(TOKEN, command.id, `{"n":${command.params}}`, never);
    }
    assert.deepEqual(await replies, ['{"n":0}', '{"n":1}', '{"n":2}', '{"n":3}', '{"n":4}']);
  });

  it('a reply of more than 64 kB is a failure and is not sent', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const result = await downlink.reply(TOKEN, 0, replyOf(65_537), never);
    assert.equal(reasonOf(result), 'request-build-failed');
  });
}

function losses(make: () => Promise<DownlinkServer>): void {
  it('a subscription that the server forgot is renewed', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    const { heard } = listening;
    await heard.until(({ registrations }) => registrations > 0);
    server.forget();
    server.setAttributes({ changed: 'meanwhile' });
    const replied = server.command('ping');
    await heard.until((each) => each.commands.length > 0 && each.attributes['changed'] === 'meanwhile');
    await downlink.reply(TOKEN, heard.commands[0]?.id ?? -1, '{}', never);
    assert.equal(await replied, '{}');
    server.setAttributes({ changed: 'again' });
    await heard.until(({ attributes: { changed } }) => changed === 'again');
  });

  it('attributes and commands arrive again after a restart of the server', { timeout }, async () => {
    await using server = await make();
    server.setAttributes({ kept: true });
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    const { heard } = listening;
    await heard.until(({ registrations }) => registrations > 0);
    const first = server.command('ping');
    await heard.until((each) => each.commands.length > 0);
    await downlink.reply(TOKEN, 0, '{"number":1}', never);
    assert.equal(await first, '{"number":1}');
    server.restart();
    server.setAttributes({ after: 'the restart' });
    const second = server.command('ping');
    await heard.until((each) => each.commands.length > 1);
    assert.deepEqual(heard.commands[1], { id: 0, method: 'ping', params: null });
    await downlink.reply(TOKEN, 0, '{"number":2}', never);
    assert.equal(await second, '{"number":2}');
    await heard.until(({ attributes: { after } }) => after === 'the restart');
    assert.deepEqual(heard.attributes, { kept: true, after: 'the restart' });
  });
}

function ends(make: () => Promise<DownlinkServer>): void {
  it('listen ends when the device is deleted, and then the token is unauthorized', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const heard = new RecordingListener();
    const listening = downlink.listen(TOKEN, BOTH, heard, never);
    await heard.until(({ registrations }) => registrations > 0);
    server.deleteDevice();
    const end = reasonOf(await listening);
    assert.ok(end === 'ok' || end === 'unauthorized', end);
    assert.equal(reasonOf(await downlink.listen(TOKEN, BOTH, heard, never)), 'unauthorized');
    assert.equal(reasonOf(await downlink.reply(TOKEN, 0, '{}', never)), 'unauthorized');
  });

  it('an unknown token is unauthorized, and no failure contains it', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const heard = new RecordingListener();
    const foreign = new Secret('another-secret-token');
    for (const subscriptions of [BOTH, { attributes: false, commands: true }]) {
      const result = await downlink.listen(foreign, subscriptions, heard, never);
      assert.equal(reasonOf(result), 'unauthorized');
      assert.doesNotMatch(JSON.stringify(result), /another-secret/);
    }
    assert.equal(heard.registrations + heard.updates.length, 0);
  });

  it('an abort ends listen within a second, before and after the registration', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const heard = new RecordingListener();
    assert.equal(reasonOf(await downlink.listen(TOKEN, BOTH, heard, AbortSignal.abort())), 'aborted');
    for (const isRegistered of [false, true]) {
      const stop = new AbortController();
      const listening = downlink.listen(TOKEN, BOTH, heard, stop.signal);
      if (isRegistered) await heard.until(({ registrations }) => registrations > 0);
      const startedMs = performance.now();
      stop.abort();
      assert.equal(reasonOf(await listening), 'aborted');
      assert.ok(performance.now() - startedMs < 1_000);
    }
  });

  it('nothing is heard after an abort', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const heard = new RecordingListener();
    const stop = new AbortController();
    const listening = downlink.listen(TOKEN, BOTH, heard, stop.signal);
    await heard.until(({ registrations }) => registrations > 0);
    stop.abort();
    await listening;
    const updates = heard.updates.length;
    server.setAttributes({ late: true });
    await using again = new Listening(downlink);
    await again.heard.until(({ attributes: { late } }) => late === true);
    assert.equal(heard.updates.length, updates);
  });

  it('telemetry is posted while the downlink listens', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    await using listening = new Listening(downlink);
    await listening.heard.until(({ registrations }) => registrations > 0);
    for (let round = 0; round < 5; round += 1) {
      const posts = [1, 2, 3, 4].map((n) =>
        downlink.postTelemetry(TOKEN, `[{"ts":${round * 4 + n},"values":{"n":${n}}}]`, never),
      );
      assert.deepEqual((await Promise.all(posts)).map(reasonOf), Array(4).fill('ok'));
    }
  });

  it('a stopped server ends listen and reply with a failure', { timeout }, async () => {
    await using server = await make();
    await using downlink = server.open();
    const heard = new RecordingListener();
    const listening = downlink.listen(TOKEN, BOTH, heard, never);
    await heard.until(({ registrations }) => registrations > 0);
    await server[Symbol.asyncDispose]();
    assert.notEqual(reasonOf(await listening), 'ok');
    assert.notEqual(reasonOf(await downlink.reply(TOKEN, 0, replyOf(5_000), never)), 'ok');
  });

  it('disposal ends listen', { timeout }, async () => {
    await using server = await make();
    const downlink = server.open();
    const heard = new RecordingListener();
    const listening = downlink.listen(TOKEN, BOTH, heard, never);
    await heard.until(({ registrations }) => registrations > 0);
    await downlink[Symbol.asyncDispose]();
    assert.notEqual(reasonOf(await listening), 'ok');
  });
}
