/**
 * The surroundings of the gateways of one experiment: a server that never stops, and a directory for their
 * files.
 */

import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import { Gateway, PROVISIONING } from './gateway.ts';

export interface Experiment extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly path: string;
  /** Its state directory is below `path` by default. */
  gateway(name: string, state?: string): Promise<Gateway>;
}

/** `latencyMaxMs`: the maximum response time of the server, uniform from 0. */
export async function openExperiment(latencyMaxMs: number): Promise<Experiment> {
  const path = await mkdtemp(join(tmpdir(), 'firstlight-system-'));
  const removeAtExit = () => rmSync(path, { recursive: true, force: true });
  process.once('exit', removeAtExit);
  const sandbox = await openSandbox({
    provisioning: PROVISIONING,
    knobs: { coreLatencyMinMs: 0, coreLatencyMaxMs: latencyMaxMs },
  });
  return {
    sandbox,
    path,
    gateway: (name, state = join(path, name)) => Gateway.create(sandbox, name, path, state),
    [Symbol.asyncDispose]: async () => {
      await sandbox[Symbol.asyncDispose]();
      await rm(path, { recursive: true, force: true });
      process.removeListener('exit', removeAtExit);
    },
  };
}

/** Runs the jobs in order, `lanes` at a time; a boot mostly waits. */
export async function runInLanes<Input, Made>(
  lanes: number,
  inputs: readonly Input[],
  job: (input: Input) => Promise<Made>,
): Promise<Made[]> {
  const results: Made[] = [];
  const queue = inputs.entries();
  const lane = async () => {
    for (const [index, input] of queue) results[index] = await job(input);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return results;
}
