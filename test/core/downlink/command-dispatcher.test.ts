/** Commands of the server: run at most once, always answered, within the bounds, also under a flood and over a restart. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { CommandDispatcher } from '../../../src/core/downlink/command-dispatcher.ts';
import type { StartedCommand, StartedCommandStore } from '../../../src/core/downlink/command-history.ts';
import type {
  CommandDefinition,
  CommandResult,
  CommandTable,
} from '../../../src/core/downlink/command-table.ts';
import type { Result } from '../../../src/core/failures/failure.ts';
import { failureOf } from '../../doubles/failures.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

const OK: Result<void> = { ok: true, value: undefined };
const FAILED: Result<void> = { ok: false, failure: failureOf('server-timeout') };

/** Survives a restart of the agent. */
class MemoryStore implements StartedCommandStore {
  commands: readonly StartedCommand[] = [];
  saves = 0;

  load(): readonly StartedCommand[] {
    return this.commands;
  }

  save(commands: readonly StartedCommand[]): void {
    this.commands = commands;
    this.saves += 1;
  }
}

class Harness {
  readonly clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly replies: { readonly id: number; readonly body: string }[] = [];
  readonly runs: string[] = [];
  sendResult: () => Result<void> = () => OK;
  dispatcher: CommandDispatcher;
  readonly #store: MemoryStore;
  readonly #table: CommandTable;
  #stop = new AbortController();
  #serving: Promise<void>;

  constructor(
    definitions: Readonly<Record<string, Partial<CommandDefinition>>> = {},
    store = new MemoryStore(),
  ) {
    this.#store = store;
    const all: Readonly<Record<string, Partial<CommandDefinition>>> = { ping: {}, ...definitions };
    const allowed = Object.entries(all).map(([method, definition]) => {
      const run = async (params: unknown, signal: AbortSignal): Promise<CommandResult> => {
        this.runs.push(method);
        return definition.run?.(params, signal) ?? { ok: true, reply: { method } };
      };
      return [method, { timeoutMs: 10_000, isReadOnly: true, ...definition, run }] as const;
    });
    this.#table = { allowed: new Map(allowed), notAllowed: new Set(['reboot']) };
    this.dispatcher = this.#create();
    this.#serving = this.#serve();
  }

  async command(id: number, method: string, params: unknown = null): Promise<void> {
    this.dispatcher.onCommand({ id, method, params });
    await this.clock.advance(0);
  }

  /** The reply to a command, parsed. */
  reply(id: number): unknown {
    const body = this.replies.findLast((each) => each.id === id)?.body;
    return body === undefined ? undefined : JSON.parse(body);
  }

  /** A new process of the same boot. */
  async restart(): Promise<void> {
    await this.stop();
    this.dispatcher = this.#create();
    this.#stop = new AbortController();
    this.#serving = this.#serve();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#serving;
  }

  get ports() {
    return { clock: this.clock, random: new FixedRandom(), log: this.log, store: this.#store };
  }

  #create(): CommandDispatcher {
    return new CommandDispatcher(this.ports);
  }

  #serve(): Promise<void> {
    const send = async (id: number, body: string): Promise<Result<void>> => {
      const result = this.sendResult();
      if (result.ok) this.replies.push({ id, body });
      return result;
    };
    return this.dispatcher.serve(this.#table, send, this.#stop.signal);
  }
}

describe('a command of the server', () => {
  it('runs and gets its reply', async () => {
    const harness = new Harness();
    await harness.command(7, 'ping');
    assert.deepEqual(harness.replies, [{ id: 7, body: '{"method":"ping"}' }]);
    await harness.stop();
  });

  for (const [title, method, code] of [
    ['is refused if the agent has none of that name', 'format-disk', 'unknown-command'],
    ['is refused if the configuration does not allow it', 'reboot', 'not-allowed'],
  ] as const) {
    it(title, async () => {
      const harness = new Harness();
      await harness.command(1, method);
      assert.equal((harness.reply(1) as { code: string }).code, code);
      assert.deepEqual(harness.runs, []);
      await harness.stop();
    });
  }

  it('runs once if the server sends it twice, and both get the same reply', async () => {
    const harness = new Harness();
    await harness.command(3, 'ping');
    await harness.command(3, 'ping');
    assert.deepEqual(harness.runs, ['ping']);
    assert.equal(harness.replies.length, 2);
    assert.equal(harness.replies[0]?.body, harness.replies[1]?.body);
    await harness.stop();
  });

  it('runs again after ten minutes under the same id', async () => {
    const harness = new Harness();
    await harness.command(3, 'ping');
    await harness.clock.advance(600_001);
    await harness.command(3, 'ping');
    assert.deepEqual(harness.runs, ['ping', 'ping']);
    await harness.stop();
  });

  it('gets one reply if it arrives again while it runs', async () => {
    const harness = new Harness();
    let end: (result: CommandResult) => void = () => {};
    const slow = new Harness({ slow: { run: () => new Promise((resolve) => (end = resolve)) } });
    await slow.command(1, 'slow');
    await slow.command(1, 'slow');
    end({ ok: true, reply: { done: true } });
    await slow.clock.advance(0);
    assert.equal(slow.replies.length, 1);
    await Promise.all([slow.stop(), harness.stop()]);
  });

  it('is stopped at its time limit and answered with "timeout"', async () => {
    let isStopped = false;
    const harness = new Harness({
      slow: {
        run: (_params, signal) => {
          signal.addEventListener('abort', () => (isStopped = true));
          return new Promise(() => {});
        },
      },
    });
    await harness.command(1, 'slow');
    await harness.clock.advance(10_000);
    assert.equal((harness.reply(1) as { code: string }).code, 'timeout');
    assert.ok(isStopped);
    await harness.stop();
  });

  it('whose reply is larger than 64 kB is answered with "too-large"', async () => {
    const harness = new Harness({
      big: { run: async () => ({ ok: true, reply: { text: 'x'.repeat(70_000) } }) },
    });
    await harness.command(1, 'big');
    assert.equal((harness.reply(1) as { code: string }).code, 'too-large');
    await harness.stop();
  });

  it('that fails because of a bug is answered with "failed" and logged without its text', async () => {
    const harness = new Harness({ bad: { run: () => Promise.reject(new Error('secret text')) } });
    await harness.command(1, 'bad');
    assert.equal((harness.reply(1) as { code: string }).code, 'failed');
    assert.doesNotMatch(JSON.stringify(harness.log.lines), /secret text/);
    await harness.stop();
  });

  it('logs neither its parameters nor its reply', async () => {
    const harness = new Harness({ echo: { run: async (params) => ({ ok: true, reply: { params } }) } });
    await harness.command(1, 'echo', { password: 'hunter2' });
    assert.match(harness.replies[0]?.body ?? '', /hunter2/);
    assert.doesNotMatch(JSON.stringify(harness.log.lines), /hunter2/);
    await harness.stop();
  });
});

describe('the bounds of commands', () => {
  it('refuse the eleventh command of a minute', async () => {
    const harness = new Harness();
    for (let id = 1; id <= 11; id += 1) await harness.command(id, 'ping');
    assert.equal(harness.runs.length, 10);
    assert.equal((harness.reply(11) as { code: string }).code, 'busy');
    await harness.clock.advance(60_000);
    await harness.command(12, 'ping');
    assert.equal(harness.runs.length, 11);
    await harness.stop();
  });

  it('refuse the fifth command that would run at once', async () => {
    const harness = new Harness({ slow: { run: () => new Promise(() => {}) } });
    for (let id = 1; id <= 5; id += 1) await harness.command(id, 'slow');
    assert.equal(harness.runs.length, 4);
    assert.equal((harness.reply(5) as { code: string }).code, 'busy');
    await harness.stop();
  });

  it('drop what a flood sends beyond sixty refusals a minute, with one line', async () => {
    const harness = new Harness();
    for (let id = 0; id < 10_000; id += 1)
      harness.dispatcher.onCommand({ id, method: 'x'.repeat(5_000), params: {} });
    await harness.clock.advance(1_000);
    assert.equal(harness.replies.length, 60);
    assert.equal(harness.log.withMessage(/more commands than the agent answers/).length, 1);
    assert.ok(JSON.stringify(harness.log.lines).length < 30_000);
    await harness.stop();
  });
});

describe('a reply that the server does not accept', () => {
  it('is sent again until it is accepted', async () => {
    const harness = new Harness();
    let failures = 3;
    harness.sendResult = () => (failures-- > 0 ? FAILED : OK);
    await harness.command(1, 'ping');
    await harness.clock.advance(60_000);
    assert.equal(harness.replies.length, 1);
    assert.deepEqual(harness.runs, ['ping']);
    await harness.stop();
  });

  it('is given up after five minutes', async () => {
    const harness = new Harness();
    harness.sendResult = () => FAILED;
    await harness.command(1, 'ping');
    await harness.clock.advance(600_000);
    harness.sendResult = () => OK;
    await harness.clock.advance(600_000);
    assert.equal(harness.replies.length, 0);
    assert.equal(harness.log.withMessage(/was executed/).length, 1);
    await harness.stop();
  });

  it('keeps a command that ends the process from doing so', async () => {
    let isEnded = false;
    const restart = {
      run: async () => ({ ok: true, reply: {}, afterReply: () => (isEnded = true) }) as never,
    };
    const harness = new Harness({ restart });
    harness.sendResult = () => FAILED;
    await harness.command(1, 'restart');
    await harness.clock.advance(600_000);
    assert.equal(isEnded, false);
    harness.sendResult = () => OK;
    await harness.command(2, 'restart');
    assert.equal(isEnded, true);
    await harness.stop();
  });
});

describe('what a command does after its reply', () => {
  it('happens once when the server takes the reply to a repetition', async () => {
    let ended = 0;
    const restart = { run: async () => ({ ok: true, reply: {}, afterReply: () => (ended += 1) }) as never };
    const harness = new Harness({ restart });
    harness.sendResult = () => FAILED;
    await harness.command(1, 'restart');
    await harness.clock.advance(400_000);
    harness.sendResult = () => OK;
    for (let repetition = 0; repetition < 3; repetition += 1) await harness.command(1, 'restart');
    assert.equal(ended, 1);
    assert.deepEqual(harness.runs, ['restart']);
    await harness.stop();
  });

  it('may fail without ending the agent', async () => {
    const afterReply = () => {
      throw new Error('ENOSPC');
    };
    const harness = new Harness({
      reboot: { run: async () => ({ ok: true, reply: {}, afterReply }) as never },
    });
    await harness.command(1, 'reboot');
    assert.equal(harness.log.withMessage(/internal error/).length, 1);
    await harness.command(2, 'ping');
    assert.deepEqual(harness.reply(2), { method: 'ping' });
    await harness.stop();
  });
});

describe('a restart of the agent', () => {
  it('does not repeat a command that changes something', async () => {
    const harness = new Harness({ exec: { isReadOnly: false } });
    await harness.command(1, 'exec');
    await harness.restart();
    await harness.command(1, 'exec');
    assert.deepEqual(harness.runs, ['exec']);
    assert.equal((harness.reply(1) as { code: string }).code, 'duplicate');
    await harness.stop();
  });

  it('stores nothing for commands that only read', async () => {
    const store = new MemoryStore();
    const harness = new Harness({}, store);
    await harness.command(1, 'ping');
    assert.equal(store.saves, 0);
    await harness.stop();
  });

  it('stops what runs, and says so', async () => {
    const harness = new Harness({ slow: { run: () => new Promise(() => {}) } });
    await harness.command(1, 'slow');
    await harness.stop();
    assert.equal((harness.reply(1) as { code: string }).code, 'stopped');
    assert.equal(harness.log.withMessage(/was executed/).length, 1);
  });

  it('posts a reply that waits for its next attempt', async () => {
    const harness = new Harness();
    harness.sendResult = () => FAILED;
    await harness.command(1, 'ping');
    harness.sendResult = () => OK;
    await harness.stop();
    assert.deepEqual(harness.replies, [{ id: 1, body: '{"method":"ping"}' }]);
  });

  for (const isProcessStop of [false, true]) {
    const ms = isProcessStop ? 500 : 3_000;
    it(`waits at most ${ms} ms for replies when ${isProcessStop ? 'the process' : 'a configuration'} ends`, async () => {
      const { clock, log, ...ports } = new Harness().ports;
      const stop = new AbortController();
      const dispatcher = new CommandDispatcher({
        ...ports,
        clock,
        log,
        ...(isProcessStop && { processStop: stop.signal }),
      });
      const hanging = (_id: number, _body: string, signal: AbortSignal) =>
        new Promise<Result<void>>((resolve) => signal.addEventListener('abort', () => resolve(FAILED)));
      const allowed = new Map([
        ['slow', { timeoutMs: 60_000, isReadOnly: true, run: () => new Promise<never>(() => {}) }],
      ]);
      const serving = dispatcher.serve({ allowed, notAllowed: new Set() }, hanging, stop.signal);
      dispatcher.onCommand({ id: 1, method: 'slow', params: null });
      await clock.advance(10);
      let endedMs = Number.NaN;
      void serving.then(() => {
        endedMs = clock.monotonicMs();
      });
      const stoppedMs = clock.monotonicMs();
      stop.abort();
      await clock.advance(10_000);
      assert.equal(endedMs - stoppedMs, ms);
    });
  }
});

it('no sequence of commands, repetitions, restarts and failures runs one twice within ten minutes', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ id: fc.nat(5), method: fc.constantFrom('ping', 'exec', 'none') }) },
    { weight: 1, arbitrary: fc.constant('restart' as const) },
    { weight: 2, arbitrary: fc.nat(200_000) },
  );
  const check = async (steps: readonly (number | 'restart' | { id: number; method: string })[]) => {
    const harness = new Harness({ exec: { isReadOnly: false } });
    const ran = new Map<string, number>();
    for (const each of steps) {
      if (each === 'restart') await harness.restart();
      else if (typeof each === 'number') await harness.clock.advance(each);
      else {
        const before = harness.runs.length;
        await harness.command(each.id, each.method);
        const key = `${each.id} ${each.method}`;
        const nowMs = harness.clock.bootMs();
        if (harness.runs.length > before) {
          // A restart forgets commands that only read; they change nothing.
          if (each.method === 'exec')
            assert.ok(nowMs - (ran.get(key) ?? Number.NEGATIVE_INFINITY) > 600_000, key);
          ran.set(key, nowMs);
        }
        assert.notEqual(harness.reply(each.id), undefined, 'a command without a reply');
      }
    }
    await harness.stop();
  };
  await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 60 }), check), {
    seed: 20_261_130,
    numRuns: 200,
  });
});
