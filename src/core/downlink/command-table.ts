/** What a command is to the dispatcher: its definition, and what became of one execution. */

import type { JsonObject } from '../model/json-object.ts';

export type CommandErrorCode =
  | 'unknown-command'
  | 'not-allowed'
  | 'bad-parameters'
  | 'busy'
  | 'timeout'
  | 'failed'
  | 'stopped'
  | 'too-large'
  | 'duplicate';

export type CommandResult =
  | {
      readonly ok: true;
      readonly reply: JsonObject;
      /** Called once the server has accepted the reply, for what ends the process; never otherwise. */
      readonly afterReply?: () => void;
    }
  | { readonly ok: false; readonly code: CommandErrorCode; readonly error: string };

export interface CommandDefinition {
  /** Bound of one execution, ms. */
  readonly timeoutMs: number;
  /** False: a restart of the agent must not repeat it, so it is remembered before it runs. */
  readonly isReadOnly: boolean;
  /** `params`: any JSON value, unchecked. Rejects only because of a bug. */
  run(params: unknown, signal: AbortSignal): Promise<CommandResult>;
}

export interface CommandTable {
  readonly allowed: ReadonlyMap<string, CommandDefinition>;
  /** Methods that exist but that the configuration does not allow. */
  readonly notAllowed: ReadonlySet<string>;
}

export function commandError(code: CommandErrorCode, error: string): CommandResult {
  return { ok: false, code, error };
}
