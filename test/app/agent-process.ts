/** The real agent as a child process, for tests: configuration, output lines, exit code. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { MAIN } from '../paths.ts';

/** Longer than any operation of an agent under test, even on a busy machine, ms. */
const LINE_TIMEOUT_MS = 180_000;

export class AgentProcess implements AsyncDisposable {
  readonly output: string[] = [];
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;
  readonly #listeners = new Set<() => void>();

  /** `within`: a command that executes the agent, such as setpriv; `main`: another build of the agent. */
  static run(
    commandLine: readonly string[],
    environment: NodeJS.ProcessEnv = {},
    wrapper: readonly string[] = [],
    main: string = MAIN,
  ): AgentProcess {
    const [program = '', ...words] = [...wrapper, process.execPath, main, ...commandLine];
    return new AgentProcess(spawn(program, words, { env: { PATH: process.env['PATH'], ...environment } }));
  }

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#closed = once(child, 'close');
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        this.output.push(line);
        for (const watch of this.#listeners) watch();
      });
    }
    void this.#closed.then(() => {
      for (const watch of this.#listeners) watch();
    });
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The first line, past or future, that contains `text`; rejects when the process ends without it. */
  async line(text: string): Promise<string> {
    for (;;) {
      const found = this.output.find((line) => line.includes(text));
      if (found !== undefined) return found;
      await this.#nextLine(text);
    }
  }

  /** The first `count` lines with `text`, past or future. */
  async lines(text: string, count: number): Promise<readonly string[]> {
    for (;;) {
      const found = this.output.filter((line) => line.includes(text));
      if (found.length >= count) return found.slice(0, count);
      await this.#nextLine(text);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Sends SIGTERM unless the process has ended; resolves with the exit code. */
  async stop(): Promise<number | null> {
    if (this.#child.exitCode === null) this.#child.kill('SIGTERM');
    return this.exit();
  }

  /** Resolves with the next line; rejects if the process has ended, or after LINE_TIMEOUT_MS without a line. */
  async #nextLine(pattern: string): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      throw new Error(`ended without "${pattern}":\n${this.output.join('\n')}`);
    await new Promise<void>((resolve, reject) => {
      // Without a time-out, a failed test leaves its agent running, and the test run never ends.
      const timeout = setTimeout(() => {
        this.#listeners.delete(watch);
        reject(new Error(`silent without "${pattern}":\n${this.output.join('\n')}`));
      }, LINE_TIMEOUT_MS);
      const watch = () => {
        clearTimeout(timeout);
        this.#listeners.delete(watch);
        resolve();
      };
      this.#listeners.add(watch);
    });
  }

  async exit(): Promise<number | null> {
    await this.#closed;
    return this.#child.exitCode;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}

/** A temporary directory for one test. */
export async function tempDir(): Promise<
  AsyncDisposable & { readonly path: string; config(toml: string): Promise<string> }
> {
  const path = await mkdtemp(join(tmpdir(), 'firstlight-test-'));
  return {
    path,
    async config(toml) {
      const file = join(path, 'firstlight.toml');
      await writeFile(file, toml, { mode: 0o600 });
      return file;
    },
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}
