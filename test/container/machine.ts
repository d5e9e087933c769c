/**
 * One gateway: a container with a real systemd as its PID 1 (systemd-nspawn), booted from a directory, on a road of its own.
 *
 * It ends by `powerOff`, in good order, or by `pullThePlug`, without one instruction more. It does not outlive this process, whatever ends
 * that. Knows nothing of firstlight.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { forgetMachine, freshName, intoGroups, lockOf, undoAtExit } from './cleanup.ts';
import { attempt, type Ended } from './command.ts';
import type { NetworkLink } from './network-link.ts';
import { until } from './until.ts';

const LEADER_WITHIN_MS = 15_000;
const BOOTS_WITHIN_MS = 90_000;
const POWERS_OFF_WITHIN_MS = 60_000;

export interface MachineOptions {
  readonly link: NetworkLink;
  /** As after a fault: the root file system takes no writes. */
  readonly readOnly?: boolean;
}

export class Machine {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #forget: () => void;
  readonly #lock: string;
  #leader = 0;

  /** Returns when its PID 1 runs, long before it has booted: see `booted`. */
  static async boot(root: string, { link: road, readOnly = false }: MachineOptions): Promise<Machine> {
    const machine = new Machine(root, road, readOnly);
    if (await until(() => machine.#findLeader(), LEADER_WITHIN_MS)) return machine;
    await machine.cutPower();
    throw new Error(`no systemd in the container: ${machine.#console(root)}`);
  }

  private constructor(root: string, road: NetworkLink, readOnly: boolean) {
    this.#name = freshName();
    this.#lock = lockOf(root);
    const console = openSync(`${root}.console`, 'a');
    this.#child = spawn('sh', ['-c', script(this.#name, root, road, readOnly)], {
      detached: true, // Ctrl-C is ours to handle
      env: {
        PATH: process.env['PATH'],
        UNIFIED_CGROUP_HIERARCHY: '1',
        SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: '1',
      },
      stdio: ['ignore', console, console],
    });
    closeSync(console);
    this.#forget = undoAtExit(() => this.#atExit());
    this.#closed = once(this.#child, 'close').then(() => this.#clean());
  }

  /** `running`, or what it became instead (`degraded`, `late`). */
  async booted(): Promise<string> {
    // The bus it asks may not be there yet.
    let state = 'late';
    await until(async () => {
      const { out } = await this.run(['systemctl', 'is-system-running', '--wait'], BOOTS_WITHIN_MS);
      state = out.trim().split('\n').at(-1) ?? '';
      return ['running', 'degraded', 'maintenance'].includes(state);
    }, BOOTS_WITHIN_MS);
    return state;
  }

  /** Runs a command inside, as root and outside of every service. */
  run(command: readonly string[], withinMs = 60_000): Promise<Ended> {
    return attempt(
      ['nsenter', '-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...command],
      withinMs,
    );
  }

  /** The same for a line of shell. */
  sh(line: string, withinMs?: number): Promise<Ended> {
    return this.run(['sh', '-c', line], withinMs);
  }

  async powerOff(): Promise<void> {
    await this.run(['systemctl', 'poweroff']);
    if (!(await until(() => this.#isOver(), POWERS_OFF_WITHIN_MS))) this.#kill();
    await this.#over();
  }

  /** Nothing happens to one that is off already. */
  async cutPower(): Promise<void> {
    this.#kill();
    await this.#over();
  }

  async #over(): Promise<void> {
    await this.#closed;
    this.#forget();
  }

  #isOver(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The end of PID 1 is the end of all; nspawn follows, and cleans up. */
  #kill(): void {
    if (this.#isOver()) return;
    const pid = this.#leader || this.#child.pid;
    try {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    } catch {
      // It went by itself.
    }
  }

  #atExit(): void {
    this.#kill();
    if (this.#child.pid !== undefined) this.#child.kill('SIGKILL');
    this.#clean();
  }

  #clean(): void {
    forgetMachine(this.#name);
    rmSync(this.#lock, { force: true });
  }

  /** The child of nspawn that is number 1 inside and runs systemd; a short-lived stub comes before it. */
  #findLeader(): boolean {
    const nspawn = this.#child.pid;
    if (nspawn === undefined || this.#isOver()) return false;
    for (const pid of read(`/proc/${nspawn}/task/${nspawn}/children`).trim().split(' ')) {
      const isFirst = /^NSpid:.*\s1$/m.test(read(`/proc/${pid}/status`));
      if (isFirst && read(`/proc/${pid}/comm`).trim() === 'systemd') this.#leader = Number(pid);
    }
    return this.#leader !== 0;
  }

  #console(root: string): string {
    return read(`${root}.console`).trim().split('\n').slice(-3).join(' | ');
  }
}

/**
 * In control groups of its own, and to die with its parent. The system calls and
 * capabilities are those that IPAddressDeny= needs inside.
 */
function script(name: string, root: string, road: NetworkLink, readOnly: boolean): string {
  const nspawn = [
    'exec setpriv --pdeathsig KILL systemd-nspawn --register=no --keep-unit --quiet --boot --console=pipe',
    `--directory=${root} --machine=${name} --network-namespace-path=/run/netns/${road.namespace}`,
    '--resolv-conf=off --timezone=off --link-journal=no',
    '--system-call-filter=bpf --capability=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON',
    ...(readOnly ? ['--read-only'] : []),
  ];
  return `${intoGroups(name)}\n${nspawn.join(' ')}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
