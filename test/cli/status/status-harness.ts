/** A directory for an agent, and `firstlight status` beside it. */

import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusJson } from '../../../src/cli/status/json.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';

export const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

export function toml(coapPort: number): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`;
}

export async function harness() {
  const place = await tempDir();
  const runtime = join(place.path, 'run');
  await mkdir(runtime);
  const run = (file: string) =>
    AgentProcess.run(['run', '--config', file, '--state', join(place.path, 'state')], {
      RUNTIME_DIRECTORY: runtime,
    });
  const readStatus = async (): Promise<StatusJson & { readonly code: number | null }> => {
    await using status = AgentProcess.run(['status', '--json', '--runtime', runtime]);
    const code = await status.exit();
    return { ...(JSON.parse(status.output.join('\n')) as StatusJson), code };
  };
  const text = async () => {
    await using status = AgentProcess.run(['status', '--runtime', runtime]);
    await status.exit();
    return status.output.join('\n');
  };
  const dispose = () => place[Symbol.asyncDispose]();
  return { place, runtime, run, readStatus, text, [Symbol.asyncDispose]: dispose };
}

/** Asks until `isWanted`, with pauses for the agent; limited by the time-out of the test. */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    await sleep(200);
  }
}
