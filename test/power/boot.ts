/**
 * One boot of the real agent as a process that can be killed, or stopped in good order with `stop`.
 *
 * It runs in a process group of its own, so that `kill` also ends a program that runs it (strace). A process
 * that still runs when the tests end is killed.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { COMPILED_MAIN } from '../paths.ts';

export interface BootOptions {
  readonly config: string;
  readonly state: string;
  /** A command that runs the agent, such as `['strace', '-f']`. */
  readonly under?: readonly string[];
  /** Arguments for Node, such as `--import` of a hook. */
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
  #hasEnded = false;

  constructor({ config, state, under = [], nodeArguments = [], environment = {} }: BootOptions) {
    const agent = [
      process.execPath,
      ...nodeArguments,
      COMPILED_MAIN,
      'run',
      '--config',
      config,
      '--state',
      state,
    ];
    const [command = process.execPath, ...commandArguments] = [...under, ...agent];
    this.#child = spawn(command, commandArguments, {
      detached: true,
      env: { PATH: process.env['PATH'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    process.prependOnceListener('exit', this.#killAtExit);
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.lines.push(line);
        this.#notify();
      });
    }
    this.#closed = once(this.#child, 'close').then(() => {
      this.#hasEnded = true;
      process.removeListener('exit', this.#killAtExit);
      this.#notify();
    });
  }

  /**
   * Waits for the first of `texts` in a line: returns it, or `ended` if the process ends first, or `timeout`.
   */
  async waitFor<Text extends string>(
    texts: readonly Text[],
    withinMs: number,
  ): Promise<Text | 'ended' | 'timeout'> {
    const deadlineMs = performance.now() + withinMs;
    for (;;) {
      const match = texts.find((text) => this.lines.some((line) => line.includes(text)));
      if (match !== undefined) return match;
      if (this.#hasEnded) return 'ended';
      const leftMs = deadlineMs - performance.now();
      if (leftMs <= 0) return 'timeout';
      await this.#nextChange(leftMs);
    }
  }

  /** Number of lines with this text. */
  count(text: string): number {
    return this.lines.filter((line) => line.includes(text)).length;
  }

  /** Sends SIGTERM and waits: the exit code, null if a signal ended the process, and the duration. */
  async stop(): Promise<{ readonly code: number | null; readonly tookMs: number }> {
    const stopMs = performance.now();
    this.#child.kill('SIGTERM');
    await this.#closed;
    return { code: this.#child.exitCode, tookMs: performance.now() - stopMs };
  }

  /** Like a power cut: no signal handler runs. Returns when the process has ended. */
  async kill(): Promise<void> {
    this.#kill();
    await this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }

  #kill(): void {
    if (this.#hasEnded || this.#child.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, 'SIGKILL');
    } catch {
      // The group has ended already.
    }
  }

  #notify(): void {
    for (const watch of this.#watchers) watch();
  }

  #nextChange(withinMs: number): Promise<void> {
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
