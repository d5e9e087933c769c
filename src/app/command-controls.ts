/** What the commands of the server may do with this process and this host: run its own program, reload, restart, reboot. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { Semaphore } from '../core/async/semaphore.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { EventHistory } from '../core/status/event-history.ts';
import { runCommand } from '../host/process/run-command.ts';
import { DEFAULT_PATH, runProgram } from '../host/process/run-program.ts';
import type { AgentControls } from '../remote-commands/built-in-commands.ts';
import type { RunProgram } from '../remote-commands/exec-command.ts';
import { VERSION } from './version.ts';

export interface CommandControlsPorts {
  readonly clock: Clock;
  readonly environment: NodeJS.ProcessEnv;
  readonly eventHistory: EventHistory;
  readonly reload: AsyncSignal;
  /** The configuration and state options of this process, for the commands that it runs. */
  readonly programOptions: { readonly config: readonly string[]; readonly state: readonly string[] };
  /** For files that are valid in this boot only. */
  readonly runtime: string | undefined;
  /** A service manager starts the agent again. */
  readonly isService: boolean;
}

/** The unit that reboots on request; it ships disabled. */
export const REBOOT_UNIT = 'firstlight-reboot.path';
/** The file that the unit waits for, in the runtime directory. */
export const REBOOT_REQUEST = 'reboot-request';

const LOWEST_PRIORITY = 19;
const LANGUAGE = 'C.UTF-8';
/** More than a reply holds, because the output is indented. */
const OUTPUT_BYTES_MAX = 256 * 1024;
const SYSTEMCTL_MS = 3_000;
const STOPPED = { problem: 'was stopped with the agent' };

export function commandControls(ports: CommandControlsPorts): AgentControls {
  const { clock, eventHistory, reload, runtime, isService } = ports;
  // Each is a second Node in the memory of the service.
  const oneProgram = new Semaphore(1);
  return {
    runProgram: async (args, timeoutMs, signal) =>
      (await oneProgram.run(() => runOwnProgram(ports, args, timeoutMs, signal), signal)) ?? STOPPED,
    version: {
      version: VERSION,
      node: process.version,
      platform: process.platform,
      architecture: process.arch,
    },
    uptimeS: () => Math.round(process.uptime()),
    events: () => ({
      recent: eventHistory.recent.map((event) => withAge(event, clock)),
      open: eventHistory.active.map((event) => withAge(event, clock)),
      counts: eventHistory.counts,
    }),
    reload: () => reload.notify(),
    // The service manager restarts the agent after every exit; SIGTERM saves what is in memory first.
    restart: isService ? () => void process.kill(process.pid, 'SIGTERM') : undefined,
    prepareReboot: async (signal) => {
      if (runtime === undefined)
        return { problem: 'there is no runtime directory: run the agent as a systemd service' };
      const command = 'systemctl';
      const isActive = await runCommand(
        { command, arguments: ['is-active', REBOOT_UNIT], deadlineMs: SYSTEMCTL_MS },
        clock,
        signal,
      );
      if (isActive?.trim() !== 'active')
        return {
          problem: `${REBOOT_UNIT} is not active: on the gateway, sudo systemctl enable --now ${REBOOT_UNIT}`,
        };
      return { reboot: () => writeFileSync(join(runtime, REBOOT_REQUEST), '', { mode: 0o600 }) };
    },
  };
}

function withAge<T extends { readonly bootMs: number }>(
  { bootMs, ...event }: T,
  clock: Pick<Clock, 'bootMs'>,
) {
  return { ...event, agoS: Math.max(0, Math.round((clock.bootMs() - bootMs) / 1000)) };
}

/** Commands that read the configuration and the state of this process. */
const USES_STATE: ReadonlySet<string> = new Set(['doctor', 'config']);
const USES_CONFIG: ReadonlySet<string> = new Set(['doctor', 'sample', 'config']);

async function runOwnProgram(
  { clock, environment, programOptions }: CommandControlsPorts,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<{ readonly output: string } | { readonly problem: string }> {
  const [name = ''] = args;
  const options = [
    ...(USES_CONFIG.has(name) ? programOptions.config : []),
    ...(USES_STATE.has(name) ? programOptions.state : []),
  ];
  const result = await runProgram(
    {
      command: process.execPath,
      // With the flags of this process, which bound its memory.
      arguments: [...process.execArgv, process.argv[1] ?? '', ...args, ...options],
      environment: definedOf(environment),
      deadlineMs: timeoutMs,
      outputBytesMax: OUTPUT_BYTES_MAX,
      errorLine: 'last line',
      acceptsAnyExitCode: true,
      niceness: LOWEST_PRIORITY,
    },
    clock,
    signal,
  );
  return result.ok ? { output: result.output.toString('utf8') } : { problem: result.problem };
}

function definedOf(environment: NodeJS.ProcessEnv): Readonly<Record<string, string>> {
  const defined = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return Object.fromEntries(defined);
}

/** Runs a program of the operator: PATH and LANG are its whole environment, so that no credential reaches it. */
export function operatorPrograms(clock: Pick<Clock, 'sleep'>): RunProgram {
  return async ({ argumentVector: [command, ...args], timeoutMs, outputBytesMax }, signal) => {
    const result = await runProgram(
      {
        command,
        arguments: args,
        environment: { PATH: process.env['PATH'] ?? DEFAULT_PATH, LANG: process.env['LANG'] ?? LANGUAGE },
        deadlineMs: timeoutMs,
        outputBytesMax,
        errorLine: 'last line',
        niceness: LOWEST_PRIORITY,
      },
      clock,
      signal,
    );
    return result.ok ? { output: result.output.toString('utf8') } : { problem: result.problem };
  };
}
