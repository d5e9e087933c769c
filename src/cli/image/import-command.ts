/**
 * `firstlight import`: imports the configuration from the boot partition, as root, at every boot with such a file.
 *
 * It becomes the first drop-in in /etc/firstlight/conf.d; its secrets go to systemd's credential store. firstlight.toml stays
 * unchanged, because dpkg stops an unattended upgrade for a changed file. Exit codes: 0 done or nothing to do, 78 (EX_CONFIG)
 * invalid file, 66 (EX_NOINPUT) the --from file is missing, 75 (EX_TEMPFAIL) disk error; the next boot tries again.
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

/** First: Raspberry Pi OS since 2023 and most other systems. Second: older ones. */
export const BOOT_FILES: readonly string[] = ['/boot/firmware/firstlight.toml', '/boot/firstlight.toml'];
export const CONFIG_DIRECTORY = '/etc/firstlight';
/** Relative to the configuration directory. Drop-ins apply in the order of their names, so the operator's override this one. */
export const IMPORTED_NAME = join('conf.d', '00-boot.toml');
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
      check: (text, path) => checkText(text, path, { directory, config, credstore, credentials, scratch }),
      shouldBackUp: hasSettings,
      report: (level, sentence) => out.write(`${isJournalled ? SYSLOG_PRIORITIES[level] : ''}${sentence}\n`),
      version: VERSION,
    },
  );
  // Usually there is no file at boot. A file named with --from must exist.
  return outcome === 'nothing to do' && options.from !== undefined ? EX_NOINPUT : EXIT_CODES[outcome];
}

/** In memory if possible, so that a killed import leaves no secret on disk. Only root can write to /run. */
function scratchDirectory(): string {
  try {
    accessSync('/run', constants.W_OK);
    return '/run';
  } catch {
    return tmpdir();
  }
}
