/** A command of the operator, which the server may run by its name: a program and the parameters it may be given. */

export interface ExecCommand {
  /** The RPC method. */
  readonly name: string;
  /** Absolute path and arguments; `{parameter}` stands for a value of the server. */
  readonly argumentVector: readonly [string, ...string[]];
  /** All are required. `pattern`: a regular expression that the whole value must match. */
  readonly parameters: readonly { readonly name: string; readonly pattern: string }[];
  /** 100 ms to 5 min. */
  readonly timeoutMs: number;
  /** 1 B to 60 kB, so that the reply fits 64 kB. */
  readonly outputBytesMax: number;
}
