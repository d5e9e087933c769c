/**
 * `firstlight prepare-image`: makes this system safe to clone. Stops the service and leaves it enabled, removes what is this
 * gateway's alone, leaves what the clones need, and says what else to clear, which belongs to the host.
 *
 * Nothing is removed before somebody said yes, nor while an agent runs: the lock of the state directory tells. Exit codes: 0
 * done, 1 the answer was no, 64 (EX_USAGE) nobody to ask, 75 (EX_TEMPFAIL) the agent cannot be stopped or the disk refuses.
 */

import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline/promises';
import type { Readable } from 'node:stream';
import { EX_FAILED, EX_OK, EX_TEMPFAIL, EX_USAGE } from '../../app/exit-codes.ts';
import { AlreadyRunningError, acquireLock } from '../../credentials/lock.ts';
import { readRecordFile } from '../../credentials/record-file.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { describeError } from '../../image/disk.ts';
import { CLEAR_MACHINE_ID, findOtherTraces, readMachineId } from '../../image/host-traces.ts';
import { findLeftovers, type Leftovers, removeLeftovers } from '../../image/leftovers.ts';
import { SERVICE, stopService } from '../../image/systemctl.ts';
import { imageConfigProblems } from './image-config.ts';
import { CONFIG_DIRECTORY, CREDSTORE } from './import.ts';

export interface PrepareOptions {
  readonly state?: string;
  readonly yes?: boolean;
}

/** Whom to ask, and where to tell. */
export interface Console {
  readonly input: Readable & { readonly isTTY?: boolean };
  readonly out: NodeJS.WritableStream;
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
    const stopText = options.state === undefined ? `stops ${SERVICE}, which stays enabled, and ` : '';
    writeLine(`This makes the system ready to be cloned: it ${stopText}removes`);
    for (const line of removalLines(state, leftovers)) writeLine(`  ${line}`);
    if (!options.yes) {
      if (!console.input.isTTY) {
        writeLine('There is nobody to ask: say it with --yes. Nothing was changed.');
        return EX_USAGE;
      }
      if (!(await confirmRemoval(console, signal))) {
        writeLine('Nothing was changed.');
        return EX_FAILED;
      }
    }
    // Another directory is not the service's, which has nothing to do with it then.
    const stopped = options.state === undefined ? await stopService() : undefined;
    if (stopped?.is === 'failed') writeLine(`systemctl could not stop ${SERVICE}: ${stopped.reason}`);
    const device = leftovers === undefined ? undefined : await removeLeftoversLocked(state);
    for (const line of remainingSteps(state, device)) writeLine(line);
    return EX_OK;
  } catch (error) {
    if (error instanceof AlreadyRunningError)
      writeLine(`The agent still runs, so nothing was removed: ${error.message}`);
    else
      writeLine(
        `This could not be finished: ${error instanceof StoreError ? error.message : describeError(error)}`,
      );
    return EX_TEMPFAIL;
  }
}

function removalLines(state: string, leftovers: Leftovers | undefined): readonly string[] {
  const names = [...(leftovers?.credentials ?? []), ...(leftovers?.spool ?? [])];
  return names.length === 0
    ? [`nothing: there are no credentials and no readings in ${state}`]
    : names.map((name) => join(state, name));
}

async function confirmRemoval({ input, out }: Console, signal: AbortSignal): Promise<boolean> {
  const lines = createInterface({ input, output: out });
  try {
    const answer = await lines.question('Remove them? [y/N] ', { signal });
    return /^y(es)?$/i.test(answer.trim());
  } catch {
    return false; // interrupted: no answer is no
  } finally {
    lines.close();
  }
}

/** Looks again under the lock: an agent writes until its end. Returns the device this gateway was. */
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
  const otherTraceList = findOtherTraces('/');
  const id = readMachineId('/');
  return [
    'Done. The credentials and the readings of this gateway are gone.',
    ...foreign.map((name) => `Left alone, because it is not of firstlight: ${join(state, name)}`),
    '',
    `Left for the clones: the configuration in ${CONFIG_DIRECTORY} and the provisioning secret in ${CREDSTORE} (or where`,
    'the configuration names it). Whoever has the image has the secret.',
    ...problems.map((problem) => `  but: ${problem}`),
    '',
    'Still to clear, because it belongs to the host:',
    ...(id === undefined
      ? []
      : ['  the machine-id: every clone would be the same machine', `    ${CLEAR_MACHINE_ID}`]),
    ...otherTraceList.flatMap(({ what, clear }) => [`  ${what}`, `    ${clear}`]),
    '  what was deleted is still in the free blocks of the disk: make the image from the files, or fill them with zeros',
    ...(device === undefined
      ? []
      : [`  the device ${JSON.stringify(device)} on the server: delete it, and its token is worth nothing`]),
    '',
    'Then power off and copy the disk. Started again before that, this gateway provisions again, and all this has to be',
    'done again. Look at the copy with: firstlight prepare-image --check --root <where it is mounted>',
  ];
}
