/** What `main.ts` gives to every command: the environment, the streams, the stop signal, and how to report the exit code. */

import type { RunOptions } from '../../app/run.ts';
import type { Terminal } from './terminal.ts';

export interface CommandHost {
  readonly environment: NodeJS.ProcessEnv;
  readonly input: NodeJS.ReadStream;
  readonly out: NodeJS.WriteStream;
  readonly errorOutput: NodeJS.WriteStream;
  /** Opens stdout as a terminal; only the commands that draw need it. */
  readonly terminal: () => Promise<Terminal>;
  /** Aborts at SIGTERM and SIGINT. */
  readonly signal: AbortSignal;
  /** Runs the agent until `signal` aborts; resolves with the exit code. */
  readonly run: (options: RunOptions) => Promise<number>;
  /** Every command ends by passing its exit code to `finish`. */
  readonly finish: (exitCode: Promise<number>) => Promise<void>;
}
