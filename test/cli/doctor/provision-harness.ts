/** A gateway that has never started, its server, and `firstlight doctor --provision`. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Knobs } from '../../../src/sandbox/core/model/types.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';

export const provisioning = { key: 'the-key', secret: 'the-secret-of-this-profile' };

export const LONG = { timeout: 120_000 };

export interface Check {
  readonly check: string;
  readonly status: string;
  readonly observed: string;
  readonly meaning?: string;
  readonly action?: string;
}

/** A gateway that has never started, and its server. */
export async function gateway({ secret = provisioning.secret, more = '' } = {}) {
  const sandbox = await openSandbox({ provisioning });
  const place = await tempDir();
  const state = join(place.path, 'state');
  const file = await place.config(
    `[server]\nurl = "coap://127.0.0.1:${sandbox.coapPort}"\nspread = "0s"\n[provisioning]\nkey = "${provisioning.key}"\nsecret = "${secret}"\n${more}\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`,
  );
  const pathOptions = ['--config', file, '--state', state];
  const outputs: string[] = [];
  const doctor = (seconds = '60', within: readonly string[] = []) =>
    AgentProcess.run(
      ['doctor', '--json', `--provision=${seconds}`, ...pathOptions, '--runtime', place.path],
      {},
      within,
    );
  return {
    sandbox,
    path: place.path,
    state,
    file,
    outputs,
    doctor,
    agent: (within: readonly string[] = []) => AgentProcess.run(['run', ...pathOptions], {}, within),
    setKnobs: (knobs: Partial<Knobs>) => assert.deepEqual(sandbox.setKnobs(knobs) ?? [], []),
    async runDoctor(seconds?: string, within?: readonly string[]) {
      await using command = doctor(seconds, within);
      const code = await command.exit();
      const text = command.output.join('\n');
      for (const secretOne of [secret, provisioning.key, ...sandbox.devices().map(({ token }) => token)])
        assert.ok(secretOne === null || !text.includes(String(secretOne)), 'a secret is in the output');
      const { checks } = JSON.parse(text) as { readonly checks: readonly Check[] };
      const of = (name: string) => checks.find(({ check }) => check === name);
      return { code, provisioning: of('provisioning'), token: of('token') };
    },
    async record(): Promise<Readonly<Record<string, unknown>>> {
      return JSON.parse(await readFile(join(state, 'credentials.json'), 'utf8'));
    },
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

export type Gateway = Awaited<ReturnType<typeof gateway>>;

/** Starts the agent and expects that it delivers as the only device. */
export async function expectRecovery({ agent, sandbox, record }: Gateway): Promise<AgentProcess> {
  const running = agent();
  await running.line('first telemetry accepted');
  assert.deepEqual(
    sandbox.devices().map(({ name, token }) => [name, token]),
    [['gw-test', (await record())['token']]],
  );
  return running;
}

export function provisionings({ sandbox }: Gateway): number {
  const asked = Object.entries(sandbox.stats().requests).filter(([what]) => what.startsWith('provision '));
  return asked.reduce((sum, [, count]) => sum + count, 0);
}

export const isPending = (at: Gateway) => async (): Promise<boolean> => {
  const { state } = await at.record().catch((): Readonly<Record<string, unknown>> => ({}));
  return state === 'pending';
};
