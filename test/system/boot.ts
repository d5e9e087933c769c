/**
 * One boot of the real agent as a process, made to be killed; where an end in good order is the point, `stop` asks for it.
 *
 * It runs in a process group of its own, so that a `kill` also ends what runs it (strace). What is still running when the tests
 * end, for whatever reason, is killed.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { MAIN } from '../paths.ts';

export interface BootOptions {
  readonly config: string;
  readonly state: string;
  /** A command that runs the agent: `['strace', '-f']`. */
  readonly under?: readonly string[];
  /** For Node, in front of the program: `--import` of a hook. */
  readonly nodeArguments?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
}

export class Boot implements AsyncDisposable {
  readonly lines: string[] = [];
  readonly startedMs = performance.now();
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #watchers = new Set<() => void>();
  readonly #killAtExit = () => this.#kill();
  #isOver = false;

  constructor({ config, state, under = [], nodeArguments = [], environment = {} }: BootOptions) {
    const agent = [process.execPath, ...nodeArguments, MAIN, 'run', '--config', config, '--state', state];
    const [command = process.execPath, ...given] = [...under, ...agent];
    this.#child = spawn(command, given, {
      detached: true,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.prependOnceListener('exit', this.#killAtExit);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        this.#changed();
      });
    }
    this.#closed = once(this.#child, 'close').then(() => {
      this.#isOver = true;
      process.removeListener('exit', this.#killAtExit);
      this.#changed();
    });
  }

  /** The first of `texts` that is seen in a line, or `ended` when the process does so first, or `late`. */
  async sees<Text extends string>(
    texts: readonly Text[],
    withinMs: number,
  ): Promise<Text | 'ended' | 'late'> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const seen = texts.find((text) => this.lines.some((line) => line.includes(text)));
      if (seen !== undefined) return seen;
      if (this.#isOver) return 'ended';
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return 'late';
      await this.#change(leftMs);
    }
  }

  /** How many of its lines have this text. */
  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  /** Asks it to end (SIGTERM) and sees how: its exit code, null when a signal ended it, and after how long. */
  async stop(): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const askedMs = performance.now();
    this.#child.kill('SIGTERM');
    await this.#closed;
    return { code: this.#child.exitCode, tookMs: performance.now() - askedMs };
  }

  /** Like the plug pulled: no signal handler runs. Returns when the process is gone. */
  async kill(): Promise<void> {
    this.#kill();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #kill(): void {
    if (this.#isOver || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // The group is gone already.
    }
  }

  #changed(): void {
    for (const watch of this.#watchers) watch();
  }

  #change(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#watchers.delete(done);
        resolve();
      };
      const timer = setTimeout(done, withinMs);
      this.#watchers.add(done);
    });
  }
}
