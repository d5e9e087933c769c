/** A gateway and its `firstlight credentials`. */

import { join } from 'node:path';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { AgentProcess, tempDir } from '../../app/agent-process.ts';

export const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

export function toml(coapPort: number): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n`;
}

export async function output(commandLine: readonly string[]) {
  await using command = AgentProcess.run(commandLine);
  return { code: await command.exit(), text: command.output.join('\n') };
}

export async function provisioned() {
  const sandbox = await openSandbox({ provisioning });
  const place = await tempDir();
  const state = join(place.path, 'state');
  const file = await place.config(toml(sandbox.coapPort));
  const run = () => AgentProcess.run(['run', '--config', file, '--state', state]);
  const agent = run();
  await agent.line('first telemetry accepted');
  const token = sandbox.devices()[0]?.token ?? 'no device';
  const close = async () => {
    await agent[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
    await sandbox[Symbol.asyncDispose]();
  };
  return { sandbox, place, state, file, run, agent, token, [Symbol.asyncDispose]: close };
}
