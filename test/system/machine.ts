/**
 * One gateway: a container (systemd-nspawn) with a real systemd as PID 1, booted from a directory, on a
 * network link of its own.
 *
 * `powerOff` shuts it down in good order, `cutPower` without one more instruction. It does not outlive this
 * process. It knows nothing of firstlight.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { isTrueWithin } from '../until.ts';
import { enterGroupsScript, freshName, lockFileOf, removeMachine, undoAtExit } from './cleanup.ts';
import { attempt, type CommandResult } from './command.ts';
import type { NetworkLink } from './network-link.ts';

const LEADER_WITHIN_MS = 15_000;
const BOOTS_WITHIN_MS = 90_000;
const POWERS_OFF_WITHIN_MS = 60_000;

export interface MachineOptions {
  readonly link: NetworkLink;
  /** Mounts the root file system read-only, as after a fault. */
  readonly readOnly?: boolean;
}

export class Machine {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  readonly #forget: () => void;
  readonly #lock: string;
  #leader = 0;

  /** Returns when PID 1 runs, long before the machine has booted: see `bootState`. */
  static async boot(root: string, { link, readOnly = false }: MachineOptions): Promise<Machine> {
    const machine = new Machine(root, link, readOnly);
    if (await isTrueWithin(() => machine.#findLeader(), LEADER_WITHIN_MS)) return machine;
    await machine.cutPower();
    throw new Error(`no systemd in the container: ${machine.#console(root)}`);
  }

  private constructor(root: string, link: NetworkLink, readOnly: boolean) {
    this.#name = freshName();
    this.#lock = lockFileOf(root);
    const console = openSync(`${root}.console`, 'a');
    this.#child = spawn('sh', ['-c', script(this.#name, root, link, readOnly)], {
      detached: true, // this process handles Ctrl-C
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

  /** Waits until it has booted: `running`, `degraded`, `maintenance`, or `timeout`. */
  async bootState(): Promise<string> {
    // The system bus may not be there yet.
    let state = 'timeout';
    await isTrueWithin(async () => {
      const { out } = await this.run(['systemctl', 'is-system-running', '--wait'], BOOTS_WITHIN_MS);
      state = out.trim().split('\n').at(-1) ?? '';
      return ['running', 'degraded', 'maintenance'].includes(state);
    }, BOOTS_WITHIN_MS);
    return state;
  }

  /** Runs a command inside, as root and outside of every service. */
  run(command: readonly string[], withinMs = 60_000): Promise<CommandResult> {
    return attempt(
      ['nsenter', '-t', String(this.#leader), '-m', '-u', '-i', '-n', '-p', '-C', '--', ...command],
      withinMs,
    );
  }

  /** The same for a line of shell. */
  sh(line: string, withinMs?: number): Promise<CommandResult> {
    return this.run(['sh', '-c', line], withinMs);
  }

  async powerOff(): Promise<void> {
    await this.run(['systemctl', 'poweroff']);
    if (!(await isTrueWithin(() => this.#hasEnded(), POWERS_OFF_WITHIN_MS))) this.#kill();
    await this.#awaitEnd();
  }

  /** Does nothing if it is off already. */
  async cutPower(): Promise<void> {
    this.#kill();
    await this.#awaitEnd();
  }

  async #awaitEnd(): Promise<void> {
    await this.#closed;
    this.#forget();
  }

  #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** When PID 1 ends, all processes end; nspawn follows and cleans up. */
  #kill(): void {
    if (this.#hasEnded()) return;
    const pid = this.#leader || this.#child.pid;
    try {
      if (pid !== undefined) process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }

  #atExit(): void {
    this.#kill();
    if (this.#child.pid !== undefined) this.#child.kill('SIGKILL');
    this.#clean();
  }

  #clean(): void {
    removeMachine(this.#name);
    rmSync(this.#lock, { force: true });
  }

  /** Finds the child of nspawn that is PID 1 inside and runs systemd; a short-lived stub precedes it. */
  #findLeader(): boolean {
    const nspawn = this.#child.pid;
    if (nspawn === undefined || this.#hasEnded()) return false;
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
 * Runs nspawn in control groups of its own, and ends it with its parent. IPAddressDeny= needs these system
 * calls and capabilities inside.
 */
function script(name: string, root: string, link: NetworkLink, readOnly: boolean): string {
  const nspawn = [
    'exec setpriv --pdeathsig KILL systemd-nspawn --register=no --keep-unit --quiet --boot --console=pipe',
    `--directory=${root} --machine=${name} --network-namespace-path=/run/netns/${link.namespace}`,
    '--resolv-conf=off --timezone=off --link-journal=no',
    '--system-call-filter=bpf --capability=CAP_BPF,CAP_NET_ADMIN,CAP_PERFMON',
    ...(readOnly ? ['--read-only'] : []),
  ];
  return `${enterGroupsScript(name)}\n${nspawn.join(' ')}`;
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
