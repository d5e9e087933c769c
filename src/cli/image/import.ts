/**
 * `firstlight import`: takes the configuration that a person has put on the boot partition, as root, before the agent's first
 * start and at every boot on which there is such a file.
 *
 * Afterwards the configuration is the first of the drop-ins in /etc/firstlight/conf.d, readable by all, and its secret in systemd's
 * credential store, from where the unit hands it to the service. The package's own file stays as it is: dpkg asks about one that
 * somebody has changed, and an upgrade that nobody attends is then held back. Exit codes: 0 done or nothing to do, 78 (EX_CONFIG) the file is wrong, 66 (EX_NOINPUT) the one named with --from is not there, 75 (EX_TEMPFAIL) the
 * disk refused and the next boot tries again.
 */

import { accessSync, constants } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EX_CONFIG, EX_NOINPUT, EX_OK, EX_TEMPFAIL } from '../../app/exit-codes.ts';
import { CREDSTORE } from '../../app/paths.ts';
import { VERSION } from '../../app/version.ts';
import { importFile, type Outcome } from '../../image/import-file.ts';
import { NodeDisk } from '../../image/node-disk.ts';
import type { Out } from '../ui/terminal.ts';
import { checkText, hasSettings } from './import-check.ts';

export interface ImportOptions {
  readonly from?: string;
  readonly to?: string;
  readonly credstore?: string;
}

/** Raspberry Pi OS since 2023 and most others; before. */
export const BOOT_FILES: readonly string[] = ['/boot/firmware/firstlight.toml', '/boot/firstlight.toml'];
export const CONFIG_DIRECTORY = '/etc/firstlight';
/** Below the directory of the configuration. Drop-ins count in the order of their names, so one of the operator's wins. */
export const IMPORTED_NAME = join('conf.d', '00-boot.toml');
/** systemd.exec(5), ImportCredential=: one of the places where systemd looks by itself. */
export { CREDSTORE };

const EXIT_CODES: Readonly<Record<Outcome, number>> = {
  'nothing to do': EX_OK,
  imported: EX_OK,
  rejected: EX_CONFIG,
  failed: EX_TEMPFAIL,
};

/** sd-daemon(3). */
const SYSLOG_PRIORITIES = { info: '<6>', warning: '<4>', error: '<3>' } as const;

export function importCommand(options: ImportOptions, environment: NodeJS.ProcessEnv, out: Out): number {
  const isJournalled = environment['JOURNAL_STREAM'] !== undefined;
  const directory = options.to ?? CONFIG_DIRECTORY;
  const credstore = options.credstore ?? CREDSTORE;
  const config = join(directory, IMPORTED_NAME);
  const credentials = environment['CREDENTIALS_DIRECTORY'] ?? credstore;
  const scratch = environment['RUNTIME_DIRECTORY'] ?? scratchDirectory();
  const outcome = importFile(
    {
      sources: options.from === undefined ? BOOT_FILES : [options.from],
      digest: join(directory, '.firstlight.toml.imported'),
    },
    {
      disk: new NodeDisk(),
      check: (text) => checkText(text, { directory, config, credstore, credentials, scratch }),
      shouldBackUp: hasSettings,
      report: (level, sentence) => out.write(`${isJournalled ? SYSLOG_PRIORITIES[level] : ''}${sentence}\n`),
      version: VERSION,
    },
  );
  // At boot there is mostly no file, which is fine; one that somebody has named should be there.
  return outcome === 'nothing to do' && options.from !== undefined ? EX_NOINPUT : EXIT_CODES[outcome];
}

/** Where an import that is killed leaves no secret on the disk: only root may write there, and only root has to. */
function scratchDirectory(): string {
  try {
    accessSync('/run', constants.W_OK);
    return '/run';
  } catch {
    return tmpdir();
  }
}
