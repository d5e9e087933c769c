/**
 * The built-in commands. The read-only ones are always allowed; most run this program with `--json`, as an operator would,
 * so that a reply is what the command line prints, and the agent's memory stays as it is.
 */

import { type CommandDefinition, type CommandResult, commandError } from '../core/downlink/command-table.ts';
import type { BuiltInCommand } from '../core/model/commands-config.ts';
import { isJsonObject, type JsonObject } from '../core/model/json-object.ts';
import { parameterProblem } from './parameters.ts';

/** What the commands need of the running agent. */
export interface AgentControls {
  /** Runs this program with the arguments. Resolves with what it printed, or a problem: "did not finish within 20 s". */
  readonly runProgram: (
    args: readonly string[],
    timeoutMs: number,
    signal: AbortSignal,
  ) => Promise<{ readonly output: string } | { readonly problem: string }>;
  readonly version: JsonObject;
  readonly uptimeS: () => number;
  readonly events: () => JsonObject;
  /** Reads the configuration again, as SIGHUP does. */
  readonly reload: () => void;
  /** Ends the process, so that the service manager starts it again; undefined without one. */
  readonly restart: (() => void) | undefined;
  /** Resolves with the function that reboots the host, or with the reason why it cannot. */
  readonly prepareReboot: (
    signal: AbortSignal,
  ) => Promise<{ readonly reboot: () => void } | { readonly problem: string }>;
}

const QUICK_MS = 5_000;
/** A Pi Zero needs some seconds to start Node. */
const PROGRAM_MS = 30_000;
/** The doctor alone may take 20 s. */
const DOCTOR_MS = 90_000;
/** Three programs, one after the other. */
const BUNDLE_MS = 3 * PROGRAM_MS + DOCTOR_MS;

/** The definitions of all built-in commands; allowed-commands.ts selects those that are allowed. */
export function builtInCommands(agent: AgentControls): Readonly<Record<BuiltInCommand, CommandDefinition>> {
  const program = (args: readonly string[], timeoutMs: number) =>
    readOnly(timeoutMs, (signal) => jsonOf(agent, args, timeoutMs - 1_000, signal));
  return {
    ping: readOnly(QUICK_MS, async () => ok({ pong: true, uptimeS: agent.uptimeS() })),
    version: readOnly(QUICK_MS, async () => ok(agent.version)),
    events: readOnly(QUICK_MS, async () => ok(agent.events())),
    status: program(['status', '--json'], PROGRAM_MS),
    sample: program(['sample', '--json'], PROGRAM_MS),
    config: program(['config', 'show', '--json'], PROGRAM_MS),
    doctor: program(['doctor', '--json'], DOCTOR_MS),
    bundle: readOnly(BUNDLE_MS, (signal) => findings(agent, signal)),
    reload: changing(QUICK_MS, async () => ok({ reloading: true }, agent.reload)),
    restart: changing(QUICK_MS, async () => {
      const { restart } = agent;
      if (restart) return ok({ restarting: true }, restart);
      return commandError(
        'failed',
        'no service manager would start the agent again: run it as a systemd service',
      );
    }),
    reboot: changing(QUICK_MS, async (signal) => {
      const prepared = await agent.prepareReboot(signal);
      if ('problem' in prepared) return commandError('failed', prepared.problem);
      return ok({ rebooting: true }, prepared.reboot);
    }),
  };
}

type Run = (signal: AbortSignal) => Promise<CommandResult>;

/** Takes no parameters: ThingsBoard sends null, {} or "" for none. */
function withoutParameters(run: Run): CommandDefinition['run'] {
  return async (params, signal) => {
    const problem = parameterProblem(params);
    return problem === undefined ? run(signal) : commandError('bad-parameters', problem);
  };
}

function readOnly(timeoutMs: number, run: Run): CommandDefinition {
  return { timeoutMs, isReadOnly: true, run: withoutParameters(run) };
}

function changing(timeoutMs: number, run: Run): CommandDefinition {
  return { timeoutMs, isReadOnly: false, run: withoutParameters(run) };
}

function ok(reply: JsonObject, afterReply?: () => void): CommandResult {
  return { ok: true, reply, ...(afterReply && { afterReply }) };
}

/** What this program prints as JSON; an exit code other than 0 is a result, too, if there is output. */
async function jsonOf(
  agent: AgentControls,
  args: readonly string[],
  timeoutMs: number,
  signal: AbortSignal,
): Promise<CommandResult> {
  const result = await agent.runProgram(args, timeoutMs, signal);
  if ('problem' in result) return commandError('failed', `firstlight ${args.join(' ')} ${result.problem}`);
  try {
    const parsed: unknown = JSON.parse(result.output);
    return ok(isJsonObject(parsed) ? parsed : { result: parsed });
  } catch {
    return commandError(
      'failed',
      `firstlight ${args.join(' ')} printed no JSON: report it as a Firstlight bug`,
    );
  }
}

/** The findings of a support bundle: what its text files say, without the files. */
async function findings(agent: AgentControls, signal: AbortSignal): Promise<CommandResult> {
  const parts = [
    ['doctor', ['doctor', '--json']],
    ['status', ['status', '--json']],
    ['config', ['config', 'show', '--json']],
  ] as const;
  const reply: Record<string, unknown> = { version: agent.version, events: agent.events() };
  for (const [name, args] of parts) {
    const result = await jsonOf(agent, args, PROGRAM_MS, signal);
    reply[name] = result.ok ? result.reply : { error: result.error };
  }
  return ok(reply);
}
