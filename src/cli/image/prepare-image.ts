/**
 * `firstlight prepare-image`: makes this system safe to clone. Stops the service, removes the data of this gateway after a
 * confirmation, keeps what the clones need, and lists what to clear on the host. Removes nothing while an agent holds the lock.
 * Exit codes: 0 done, 1 declined, 64 (EX_USAGE) no terminal to ask, 75 (EX_TEMPFAIL) the agent still runs or the disk failed.
 */

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { EX_FAILED, EX_OK, EX_TEMPFAIL, EX_USAGE } from '../../app/exit-codes.ts';
import { CREDSTORE } from '../../app/paths.ts';
import { AlreadyRunningError, acquireLock } from '../../credentials/lock.ts';
import { readRecordFile } from '../../credentials/read-record-file.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { describeError } from '../../image/disk.ts';
import { CLEAR_MACHINE_ID, findOtherTraces, readMachineId } from '../../image/host-traces.ts';
import { findLeftovers, type Leftovers, removeLeftovers } from '../../image/leftovers.ts';
import { SERVICE, stopService } from '../../image/systemctl.ts';
import { type Console, confirm } from '../ui/confirm.ts';
import { imageConfigProblems } from './image-config.ts';
import { CONFIG_DIRECTORY } from './import-command.ts';

export interface PrepareOptions {
  readonly state?: string;
  readonly yes?: boolean;
}

const STATE_DIRECTORY = '/var/lib/firstlight';

export async function prepareImage(
  options: PrepareOptions,
  console: Console,
  signal: AbortSignal,
): Promise<number> {
  const state = options.state ?? STATE_DIRECTORY;
  const writeLine = (line: string) => console.out.write(`${line}\n`);
  try {
    const leftovers = findLeftovers(state);
    const stopText = options.state === undefined ? `stops ${SERVICE} (which stays enabled) and ` : '';
    writeLine(`This makes the system ready to be cloned: it ${stopText}removes`);
    for (const line of removalLines(state, leftovers)) writeLine(`  ${line}`);
    if (!options.yes) {
      if (!console.input.isTTY) {
        writeLine('Input is not a terminal: confirm with --yes. Nothing was changed.');
        return EX_USAGE;
      }
      if (!(await confirm(console, 'Remove them? [y/N] ', signal))) {
        writeLine('Nothing was changed.');
        return EX_FAILED;
      }
    }
    // A --state directory does not belong to the service.
    const stopped = options.state === undefined ? await stopService() : undefined;
    if (stopped?.is === 'failed') writeLine(`systemctl could not stop ${SERVICE}: ${stopped.reason}`);
    const device = leftovers === undefined ? undefined : await removeLeftoversLocked(state);
    for (const line of remainingSteps(state, device)) writeLine(line);
    return EX_OK;
  } catch (error) {
    if (error instanceof AlreadyRunningError)
      writeLine(`The agent is still running, so nothing was removed: ${error.message}`);
    else
      writeLine(`Preparation failed: ${error instanceof StoreError ? error.message : describeError(error)}`);
    return EX_TEMPFAIL;
  }
}

function removalLines(state: string, leftovers: Leftovers | undefined): readonly string[] {
  const { credentials = [], spool = [], settings = [] } = leftovers ?? {};
  const names = [...credentials, ...spool, ...settings];
  return names.length === 0
    ? [`nothing: there are no credentials and no readings in ${state}`]
    : names.map((name) => join(state, name));
}

/** Searches again under the lock, because an agent writes until its end. Returns the device name of this gateway. */
async function removeLeftoversLocked(state: string): Promise<string | undefined> {
  await using _lock = await acquireLock(state);
  const leftovers = findLeftovers(state);
  if (leftovers === undefined) return undefined;
  const main = join(state, 'credentials.json');
  const isFile = lstatSync(main, { throwIfNoEntry: false })?.isFile() ?? false;
  const file = isFile ? await readRecordFile(main) : undefined;
  removeLeftovers(state, leftovers);
  return file?.is === 'good' ? file.record.deviceName : undefined;
}

function remainingSteps(state: string, device: string | undefined): readonly string[] {
  const foreign = findLeftovers(state)?.foreign ?? [];
  const problems = imageConfigProblems('/');
  const otherTraces = findOtherTraces('/');
  const id = readMachineId('/');
  return [
    'Done. The credentials, queued readings and remote settings of this gateway are removed.',
    ...foreign.map((name) => `Not removed, because it does not belong to Firstlight: ${join(state, name)}`),
    '',
    `Kept for the clones: the configuration in ${CONFIG_DIRECTORY} and the provisioning secret in ${CREDSTORE} (or at`,
    'the configured path). Anyone who has the image has the secret.',
    ...problems.map((problem) => `  problem: ${problem}`),
    '',
    'Clear these parts of the host yourself:',
    ...(id === undefined
      ? []
      : ['  the machine-id: otherwise every clone has the same one', `    ${CLEAR_MACHINE_ID}`]),
    ...otherTraces.flatMap(({ what, clear }) => [`  ${what}`, `    ${clear}`]),
    '  the free blocks of the disk, which still contain the deleted data: make the image from the files, or fill them with zeros',
    ...(device === undefined
      ? []
      : [`  the device ${JSON.stringify(device)} on the server: delete it there to revoke its token`]),
    '',
    'Then power off and copy the disk. If this gateway starts before that, it provisions again and you must repeat all steps.',
    'Check the copy with: firstlight prepare-image --check --root <mount point>',
  ];
}
