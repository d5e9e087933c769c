/** `firstlight update status`: whether updates are on, what is installed and how the last update ended. Exit code 0. */

import { EX_OK } from '../../app/exit-codes.ts';
import { HostDpkg } from '../../update/install/host-dpkg.ts';
import { readSmallText } from '../../update/install/node-installation-disk.ts';
import { parseResult, resultFileIn, UPDATE_DIRECTORY } from '../../update/install/run-files.ts';
import { runHostCommand } from '../../update/install/run-host-command.ts';
import { KEYS_DIRECTORY, readTrustedKeys } from '../../update/trusted-keys.ts';
import type { Out } from '../ui/terminal.ts';

export interface UpdateStatusOptions {
  readonly json?: boolean;
}

const RESULT_BYTES_MAX = 64 * 1024;

export async function showUpdateStatus({ json }: UpdateStatusOptions, out: Out): Promise<number> {
  const { keys, problems } = readTrustedKeys();
  const activeState = async (unit: string) =>
    (await runHostCommand('systemctl', ['is-active', unit])).output.trim() || 'unknown';
  const [waiting, running] = [
    await activeState('firstlight-update.path'),
    await activeState('firstlight-update.service'),
  ];
  const installed = await new HostDpkg().installedVersion();
  const last = parseResult(readSmallText(resultFileIn(UPDATE_DIRECTORY), RESULT_BYTES_MAX));
  if (json) {
    const isRunning = running === 'active';
    const status = { schema: 1, keys: [...keys.keys()], problems, installed, waiting, isRunning, last };
    out.write(`${JSON.stringify(status, undefined, 2)}\n`);
    return EX_OK;
  }
  const line = (label: string, text: string) => out.write(`${label.padEnd(11)}${text}\n`);
  if (keys.size === 0) line('updates', `off: there is no key in ${KEYS_DIRECTORY}`);
  else if (waiting !== 'active')
    line('updates', 'off: firstlight-update.path is not active; run systemctl start firstlight-update.path');
  else line('updates', `on, signed by ${[...keys.keys()].join(' or ')}`);
  for (const problem of problems) line('not used', problem);
  line('installed', installed ?? 'not by dpkg, so that updates are impossible');
  if (running === 'active')
    line('running', 'an update is being installed or watched: see journalctl -u firstlight-update');
  if (!last) line('last', 'none');
  else if (last.outcome === 'updated') line('last', `updated from ${last.previous} to ${last.version}`);
  else line('last', `${last.outcome}${last.version ? ` ${last.version}` : ''}: ${last.problem}`);
  return EX_OK;
}
