/** Which commands of the server a configuration allows. */

/** Built-in commands that change nothing; always allowed, unless commands are off. */
export const READ_ONLY_COMMANDS = [
  'ping',
  'version',
  'status',
  'sample',
  'doctor',
  'events',
  'config',
] as const;
/** Built-in commands that the configuration must allow. */
export const OPTIONAL_COMMANDS = ['reload', 'restart', 'reboot', 'bundle'] as const;

export type OptionalCommand = (typeof OPTIONAL_COMMANDS)[number];
export type BuiltInCommand = (typeof READ_ONLY_COMMANDS)[number] | OptionalCommand;

/** A program that the server may run by a name, and the parameters it may be given. */
export interface ExecCommand {
  /** The RPC method. */
  readonly name: string;
  /** Absolute path and arguments; `{parameter}` in an argument stands for a value of the server. */
  readonly argumentVector: readonly [string, ...string[]];
  /** All are required. `pattern`: a regular expression that the whole value must match. */
  readonly parameters: readonly { readonly name: string; readonly pattern: string }[];
  /** 100 ms to 5 min. */
  readonly timeoutMs: number;
  /** 1 to 48 KiB, so that the reply fits 64 kB. */
  readonly outputBytesMax: number;
}

export interface CommandsConfig {
  /** True: the agent listens to no command at all. */
  readonly isOff: boolean;
  readonly enabled: readonly OptionalCommand[];
  /** At most 16, with distinct names. */
  readonly exec: readonly ExecCommand[];
}
