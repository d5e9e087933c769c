/**
 * The commands that changed something and that a restart of the agent must not repeat: one file in the runtime directory,
 * which is in memory. Replaced by a rename; a file of another boot, and a damaged one, count as empty.
 */

import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StartedCommand, StartedCommandStore } from '../../core/downlink/command-history.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import { isJsonObject, parseJsonObject } from '../../core/model/json-object.ts';
import type { Logger } from '../../core/ports/log.ts';

const FILE_NAME = 'commands.json';
const COMMANDS_MAX = 512;

export interface StartedCommandsOptions {
  /** systemd's $RUNTIME_DIRECTORY. */
  readonly directory: string;
  readonly bootId: string;
  readonly log: Logger;
}

export function startedCommandStore({ directory, bootId, log }: StartedCommandsOptions): StartedCommandStore {
  const file = join(directory, FILE_NAME);
  let isFailureLogged = false;
  return {
    load: () => {
      try {
        return commandsOf(readFileSync(file, 'utf8'), bootId);
      } catch {
        return [];
      }
    },
    save: (commands) => {
      try {
        writeFileSync(`${file}.new`, JSON.stringify({ boot: bootId, commands }), { mode: 0o600 });
        renameSync(`${file}.new`, file);
      } catch (error) {
        if (isFailureLogged) return;
        isFailureLogged = true;
        logEvent(log, 'FL-COMMAND-STATE-WRITE-FAILED', { detail: errorMessage(error) });
      }
    },
  };
}

function commandsOf(text: string, bootId: string): readonly StartedCommand[] {
  const parsed = parseJsonObject(text);
  if (parsed?.['boot'] !== bootId || !Array.isArray(parsed['commands'])) return [];
  return parsed['commands'].slice(-COMMANDS_MAX).flatMap((each: unknown) => {
    if (!isJsonObject(each)) return [];
    const { key, bootMs } = each;
    return typeof key === 'string' && typeof bootMs === 'number' ? [{ key, bootMs }] : [];
  });
}
