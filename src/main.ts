#!/usr/bin/env node
/**
 * The entry point: selects the command, turns SIGTERM and SIGINT into one abort signal and SIGHUP into a reload, and sets the
 * exit code. A second signal ends the process immediately, because each listener is removed after the first one.
 *
 * Commands are loaded on demand. `run` and `facts` do not load commander, which saves the service 10 ms and 0.5 MB.
 */

import { setMaxListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { EX_IOERR, EX_OSFILE, EX_UNREAD } from './app/exit-codes.ts';
import type { RunOptions } from './app/run.ts';
import { corruptFileOf } from './app/startup-error.ts';
import { AsyncSignal } from './core/async/async-signal.ts';

/** How long open handles may keep the process alive after a command, ms. */
const EXIT_DELAY_MS = 2_000;
/** Node's names for work in its thread pool that can hang: file access and name resolution. */
const THREAD_POOL_REQUESTS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
]);

/** Every custom sensor listens to the stop signal; above the limit, Node logs a warning about a leak. */
setMaxListeners(128);

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());

/** Set when the output pipe is closed (`| head`): a command then stops silently. The agent continues, because journald can restart. */
let outputErrorCode: number | undefined;
let stopsOnClosedOutput = true;
process.stderr.on('error', () => {});
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (!stopsOnClosedOutput) return;
  outputErrorCode = error.code === 'EPIPE' ? EX_UNREAD : EX_IOERR;
  process.exitCode = outputErrorCode;
  stop.abort();
});

const commandLine = process.argv.slice(2);
const [command, ...runArguments] = commandLine;
const runOptions = command === 'run' ? parseRunOptions(runArguments) : undefined;
try {
  if (runOptions) await finish(run(runOptions));
  else if (command === 'facts') await facts();
  else await runCommander();
} catch (error) {
  const corruptFile = corruptFileOf(error);
  if (corruptFile === undefined) throw error;
  // <3> is the priority "error" for the journal (sd-daemon(3)).
  const priority = process.env['JOURNAL_STREAM'] === undefined ? '' : '<3>';
  process.stderr.write(
    `${priority}a program file of Firstlight is missing or damaged (${corruptFile}): reinstall the package event=FL-INSTALLATION-CORRUPT\n`,
  );
  process.exitCode = EX_OSFILE;
}

async function facts(): Promise<void> {
  const { printFacts } = await import('./host/hardware/facts-child.ts');
  await printFacts();
}

async function runCommander(): Promise<void> {
  const { runCommandLine } = await import('./cli/program.ts');
  const { env: environment, stdin: input, stdout: out, stderr: errorOutput } = process;
  const host = { environment, input, out, errorOutput, signal: stop.signal, finish, run };
  const exitCode = await runCommandLine(commandLine, host);
  if (exitCode !== undefined) process.exitCode = outputErrorCode ?? exitCode;
}

/** The options of `run`; undefined for any other argument, so that commander reports the error. */
function parseRunOptions(args: string[]): RunOptions | undefined {
  try {
    return parseArgs({ args, options: { config: { type: 'string' }, state: { type: 'string' } } }).values;
  } catch {
    return undefined;
  }
}

async function run(options: RunOptions): Promise<number> {
  stopsOnClosedOutput = false;
  const reload = new AsyncSignal();
  // At a terminal, SIGHUP means that the terminal was closed.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => reload.notify());
  const { runCommand } = await import('./app/run.ts');
  const { env: environment, stdout: out } = process;
  return runCommand(options, { environment, out, reload }, stop.signal);
}

async function finish(exitCode: Promise<number>): Promise<void> {
  const code = await exitCode;
  process.exitCode = outputErrorCode ?? code;
  // A name server that does not respond, or a pipe that nobody reads, must not keep a finished process alive.
  setTimeout(endNow, EXIT_DELAY_MS).unref();
}

/**
 * process.exit() waits for the thread pool, in which access to a dead mount or name server can hang for ever. Then only a signal
 * ends the process; systemd treats SIGTERM as a clean exit.
 */
function endNow(): void {
  if (!process.getActiveResourcesInfo().some((kind) => THREAD_POOL_REQUESTS.has(kind))) process.exit();
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
