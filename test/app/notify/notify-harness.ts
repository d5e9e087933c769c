/** A directory for an agent, with a notification socket like that of systemd. */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentProcess, tempDir } from '../agent-process.ts';
import { NotifySocket, PERL_PROBLEM } from './notify-socket.ts';

export const provisioning = { key: 'k', secret: 'the-secret-of-this-profile' };

export const skip = PERL_PROBLEM === false ? false : `${PERL_PROBLEM} is not installed`;

export function toml(coapPort: number, interval = '1s'): string {
  return `[server]\nurl = "coap://127.0.0.1:${coapPort}"\nspread = "0s"\n[provisioning]\nkey = "k"\nsecret = "${provisioning.secret}"\n[device]\nname = "gw-test"\n[telemetry]\ninterval = "${interval}"\n[clock]\ntrust = "system"\n`;
}

export async function openHarness() {
  const place = await tempDir();
  const socket = await NotifySocket.open();
  const run = (
    file: string,
    environment: NodeJS.ProcessEnv = {},
    { isSocketPassed = false }: { readonly isSocketPassed?: boolean } = {},
  ) =>
    AgentProcess.run(
      ['run', '--config', file, '--state', join(place.path, 'state')],
      { NOTIFY_SOCKET: socket.path, ...environment },
      isSocketPassed ? socket.wrapper : [],
    );
  const dropIn = async (text: string) => {
    await mkdir(join(place.path, 'conf.d'), { recursive: true });
    await writeFile(join(place.path, 'conf.d', '50-test.toml'), text);
  };
  const close = async () => {
    await socket[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  };
  return { place, socket, run, dropIn, [Symbol.asyncDispose]: close };
}
