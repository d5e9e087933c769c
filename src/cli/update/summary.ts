/** What any user of this host can know about updates: the keys of root, the last result, and the unit that waits. */

import type { UpdateResult } from '../../core/update/installation.ts';
import { readSmallText } from '../../update/install/node-installation-disk.ts';
import { parseResult, resultFileIn, UPDATE_DIRECTORY } from '../../update/install/run-files.ts';
import { type RunHostCommand, runHostCommand } from '../../update/install/run-host-command.ts';
import { KEYS_DIRECTORY, readTrustedKeys } from '../../update/trusted-keys.ts';

export interface UpdateSummary {
  readonly keyIds: readonly string[];
  /** Key files that are not used. */
  readonly problems: readonly string[];
  readonly last: UpdateResult | undefined;
}

const RESULT_BYTES_MAX = 64 * 1024;

/** Never throws. `directories`: for tests. */
export function readUpdateSummary(
  directories: { readonly keys?: string; readonly results?: string } = {},
): UpdateSummary {
  const { keys: keysIn = KEYS_DIRECTORY, results = UPDATE_DIRECTORY } = directories;
  const { keys, problems } = readTrustedKeys(keysIn, keysIn === KEYS_DIRECTORY ? 0 : process.getuid?.());
  return {
    keyIds: [...keys.keys()],
    problems,
    last: parseResult(readSmallText(resultFileIn(results), RESULT_BYTES_MAX)),
  };
}

/** As systemctl reports it; `unknown` without systemd. */
export async function activeState(unit: string, run: RunHostCommand = runHostCommand): Promise<string> {
  return (await run('systemctl', ['is-active', unit])).output.trim() || 'unknown';
}
