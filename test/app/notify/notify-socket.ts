/** systemd's end of $NOTIFY_SOCKET without systemd: a Perl program that receives datagrams on an AF_UNIX socket. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const SCRIPT = `use Socket; $| = 1;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die; print "listening\\n";
while (defined recv($s, my $message, 65536, 0)) { $message =~ s/\\n/|/g; print "$message\\n"; }`;

/** Executes a program with a connected socket as descriptor 3, as OpenFile= of a unit does. */
const PASS = `use Socket; use POSIX (); $^F = 3;
socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; connect($s, sockaddr_un(shift)) or die;
POSIX::dup2(fileno($s), 3) or die if fileno($s) != 3;
$ENV{LISTEN_PID} = $$; $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_FDNAMES} = 'notify'; exec @ARGV;`;

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
    this.#child = spawn('perl', ['-e', SCRIPT, this.path], { stdio: ['ignore', 'pipe', 'inherit'] });
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
    return ['/usr/bin/perl', '-e', PASS, this.path];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await rm(this.#directory, { recursive: true, force: true });
  }
}
