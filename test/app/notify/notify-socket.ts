/** systemd's end of $NOTIFY_SOCKET without systemd: a Perl program that receives datagrams on an AF_UNIX socket. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { PROJECT } from '../../paths.ts';

const LISTENER = join(PROJECT, 'scripts/lib/notify-listener.pl');
const PASS_SOCKET = join(PROJECT, 'scripts/lib/pass-socket.pl');

/** The program that the tests lack on this host, or false. */
export const PERL_PROBLEM: string | false =
  ['systemd-notify', 'perl'].find((program) => spawnSync(program, ['--version']).error !== undefined) ??
  false;

export class NotifySocket implements AsyncDisposable {
  readonly path: string;
  /** Each message with its time, Unix ms; its lines are joined by "|". */
  readonly messages: { readonly text: string; readonly atMs: number }[] = [];
  readonly #directory: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();

  static async open(): Promise<NotifySocket> {
    const socket = new NotifySocket(await mkdtemp(join(tmpdir(), 'firstlight-notify-')));
    await socket.message(/^listening$/);
    return socket;
  }

  private constructor(directory: string) {
    this.#directory = directory;
    this.path = join(directory, 'notify');
    this.#child = spawn('perl', [LISTENER, this.path], { stdio: ['ignore', 'pipe', 'inherit'] });
    if (!this.#child.stdout) throw new Error('no output');
    createInterface({ input: this.#child.stdout }).on('line', (text) => {
      // systemd-notify waits with this message until the previous one was read.
      if (text === 'BARRIER=1') return;
      this.messages.push({ text, atMs: Date.now() });
      for (const watch of [...this.#watchers]) watch();
    });
  }

  /** The first matching message, past or future, starting with index `from`. */
  async message(pattern: RegExp, from = 0): Promise<string> {
    for (;;) {
      const found = this.messages.slice(from).find(({ text }) => pattern.test(text));
      if (found) return found.text;
      await new Promise<void>((resolve) => {
        const watch = () => {
          this.#watchers.delete(watch);
          resolve();
        };
        this.#watchers.add(watch);
      });
    }
  }

  /** The words before a command line that gets a connected socket. */
  get wrapper(): readonly string[] {
    return ['/usr/bin/perl', PASS_SOCKET, this.path];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
