/** `firstlight update status`: whether updates are on, what is installed and how the last update ended. Exit code 0. */

import { EX_OK } from '../../app/exit-codes.ts';
import { describeResult } from '../../core/update/installation.ts';
import { HostDpkg } from '../../update/install/host-dpkg.ts';
import { KEYS_DIRECTORY } from '../../update/trusted-keys.ts';
import type { Out } from '../ui/terminal.ts';
import { activeState, readUpdateSummary } from './summary.ts';

export interface UpdateStatusOptions {
  readonly json?: boolean;
}

export async function showUpdateStatus({ json }: UpdateStatusOptions, out: Out): Promise<number> {
  const { keyIds, problems, last } = readUpdateSummary();
  const isWaiting = (await activeState('firstlight-update.path')) === 'active';
  const isRunning = (await activeState('firstlight-update.service')) === 'active';
  const installed = await new HostDpkg().installedVersion();
  if (json) {
    const status = {
      schema: 1,
      ...{ on: keyIds.length > 0 && isWaiting, running: isRunning, installed: installed ?? null },
      ...{ keys: keyIds, problems, last: last ?? null },
    };
    out.write(`${JSON.stringify(status, undefined, 2)}\n`);
    return EX_OK;
  }
  const line = (label: string, text: string) => out.write(`${label.padEnd(11)}${text}\n`);
  if (keyIds.length === 0) line('updates', `off: there is no key in ${KEYS_DIRECTORY}`);
  else if (!isWaiting)
    line('updates', 'off: run systemctl enable --now firstlight-update.path, which waits for updates');
  else line('updates', `on, signed by ${keyIds.join(' or ')}`);
  for (const problem of problems) line('not used', problem);
  line('installed', installed ?? 'not by dpkg, so that updates are impossible');
  if (isRunning)
    line('running', 'an update is being installed or watched: see journalctl -u firstlight-update');
  line('last', last ? describeResult(last) : 'none');
  return EX_OK;
}
