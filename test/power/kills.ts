/**
 * Kills by the hook: kills a first boot just before its N-th call that touches the state or the network, then
 * starts the agent again.
 *
 * With two instants, the second boot is killed as well, before its own N-th call, and the third must deliver.
 */

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Experiment } from './experiment.ts';
import { DELIVERED, type Gateway } from './gateway.ts';
import type { Outcome } from './report.ts';

const HOOK = pathToFileURL(join(import.meta.dirname, 'hooks/kill-hook.js')).href;
const BOOTS_WITHIN_MS = 90_000;

/** The calls of an undisturbed first boot up to its first telemetry, in order. */
export async function callsOfAFirstBoot(experiment: Experiment): Promise<readonly string[]> {
  await using gateway = await experiment.gateway('gw-counted');
  const log = join(experiment.path, 'calls');
  await using boot = gateway.start(killOptions(gateway, log));
  const result = await boot.waitFor([DELIVERED], BOOTS_WITHIN_MS);
  if (result !== DELIVERED)
    throw new Error(`an undisturbed boot did not deliver: ${result}\n${boot.lines.join('\n')}`);
  return (await readFile(log, 'utf8')).trimEnd().split('\n');
}

/** Kills one boot for each of `instants`, then none. A boot that delivers earlier is killed after that. */
export async function killAt(
  experiment: Experiment,
  name: string,
  instants: readonly number[],
): Promise<Outcome> {
  await using gateway = await experiment.gateway(name);
  const what: string[] = [];
  for (const [index, instant] of instants.entries()) {
    const log = join(experiment.path, `${name}-calls-${index}`);
    await using boot = gateway.start(killOptions(gateway, log, instant));
    const result = await boot.waitFor([DELIVERED], BOOTS_WITHIN_MS);
    await boot.kill();
    const calls = (await readFile(log, 'utf8')).trimEnd().split('\n');
    what.push(
      result === 'ended'
        ? `killed before call ${instant}, ${calls.at(-1)}`
        : `killed when delivered (${result})`,
    );
  }
  const situation = gateway.situation();
  return { what: what.join(', then '), situation, problems: gateway.problems(await gateway.recover()) };
}

function killOptions({ state }: Gateway, log: string, at?: number) {
  return {
    nodeArguments: ['--import', HOOK],
    environment: {
      KILL_HOOK_STATE: state,
      KILL_HOOK_LOG: log,
      ...(at !== undefined && { KILL_HOOK_AT: String(at) }),
    },
  };
}
