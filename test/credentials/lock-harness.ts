/** Processes that take the lock of a state directory. */

import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, realpathSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { it } from 'node:test';

const CHILD = join(import.meta.dirname, 'lock-child.js');

export const base = realpathSync(mkdtempSync(join(tmpdir(), 'firstlight-lock-')));

/** lock-child.ts as a process; disposing kills it with SIGKILL. */
export class Child implements AsyncDisposable {
  readonly ready: Promise<string>;
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;

  constructor(state: string, role: 'holder' | 'parent' | 'idle' = 'holder') {
    this.#process = spawn(process.execPath, [CHILD, state, role], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#ended = once(this.#process, 'exit');
    const { stdout } = this.#process;
    assert.ok(stdout);
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.ready = role === 'idle' ? Promise.resolve('') : this.line();
  }

  /** Lets it take the lock; returns its next line. */
  async take(): Promise<string> {
    await this.ready;
    this.#process.stdin?.write('\n');
    return this.line();
  }

  async line(): Promise<string> {
    return String((await this.#lines.next()).value);
  }

  async exit(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

export function testRace(count: number): void {
  for (const present of [true, false]) {
    it(`goes to exactly one of ${count} concurrent processes, in ${present ? 'an existing' : 'a missing'} directory`, async () => {
      const state = join(base, `race-${present}`);
      if (present) await mkdir(state);
      const racers = Array.from({ length: count }, () => new Child(state));
      try {
        await Promise.all(racers.map((racer) => racer.ready));
        const outcomes = await Promise.all(racers.map((racer) => racer.take()));
        const held = outcomes.filter((each) => each === 'held').length;
        const failed = outcomes.filter((each) => each === 'ALREADY_RUNNING').length;
        assert.deepEqual({ held, failed }, { held: 1, failed: count - 1 });
      } finally {
        await Promise.all(racers.map((racer) => racer[Symbol.asyncDispose]()));
      }
    });
  }
}
