/** Runs a program of the host to its end, for root's part of an update: no shell, no input, a fixed environment. Never rejects. */

import { execFile } from 'node:child_process';

export interface HostCommandResult {
  readonly isOk: boolean;
  readonly output: string;
  /** The end of its standard error, for a sentence. */
  readonly problem: string;
}

const OUTPUT_BYTES_MAX = 4_000_000;
const PROBLEM_CHARACTERS_MAX = 300;
/** dpkg looks for its own tools in the directories of root. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  HOME: '/',
};

export type RunHostCommand = (
  command: string,
  commandLine: readonly string[],
  options?: {
    readonly environment?: Readonly<Record<string, string>>;
    /** Then it gets SIGTERM, ms; default: two minutes. */
    readonly withinMs?: number;
  },
) => Promise<HostCommandResult>;

const WITHIN_MS = 2 * 60_000;

export const runHostCommand: RunHostCommand = (
  command,
  commandLine,
  { environment = {}, withinMs = WITHIN_MS } = {},
) =>
  new Promise((resolve) => {
    const options = {
      timeout: withinMs,
      maxBuffer: OUTPUT_BYTES_MAX,
      env: { ...ENVIRONMENT, ...environment },
    };
    const child = execFile(command, [...commandLine], options, (error, output, errors) => {
      const text = errors.trim() || (error?.message ?? '');
      const problem = text.replaceAll(/\s+/g, ' ').slice(-PROBLEM_CHARACTERS_MAX);
      resolve({ isOk: error === null, output, problem });
    });
    child.stdin?.end();
  });
