#!/usr/bin/env node
/**
 * The entry: picks the command, turns SIGTERM and SIGINT into one abort signal and SIGHUP into a reload, sets the exit code
 * once.
 *
 * The only file that touches `process` for control. Commands are loaded when chosen, so that none pays for another's libraries;
 * what lives for years (`run`) or is started by it (`facts`) does without the library that reads command lines too. A second
 * signal ends the process at once, because the first one gives its listener up.
 */

import { setMaxListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { corruptFileOf } from './app/corrupt-install.ts';
import { EX_IOERR, EX_OSFILE, EX_UNREAD } from './app/exit-codes.ts';
import type { RunOptions } from './app/run.ts';
import { AsyncSignal } from './core/async/async-signal.ts';

/** How long what is still open after a command may keep the process, ms. */
const EXIT_DELAY_MS = 2_000;
/** What Node calls work of a thread of its pool that may hang: files, and names of hosts. */
const THREAD_POOL_REQUESTS: ReadonlySet<string> = new Set([
  'FSReqCallback',
  'FSReqPromise',
  'GetAddrInfoReqWrap',
]);

/** As many of the operator's own sensors as there may be listen to one signal, and Node would call that a leak in the journal. */
setMaxListeners(128);

const stop = new AbortController();
for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());

/** Set when nobody reads on (`| head`): a command then ends as at Ctrl-C, without a word; the agent goes on, because the journal comes back. */
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
  const { runCommandLine: chooseCommand } = await import('./cli/program.ts');
  const { env: environment, stdin: input, stdout: out, stderr: errorOutput } = process;
  const host = { environment, input, out, errorOutput: errorOutput, signal: stop.signal, finish, run };
  const exitCode = await chooseCommand(commandLine, host);
  if (exitCode !== undefined) process.exitCode = outputErrorCode ?? exitCode;
}

/**
 * The options of `run`; undefined when there is anything else on the line, such as a mistake: commander has the words for that.
 * It reads the same options, at the price of 10 ms and half a megabyte that the service does without.
 */
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
  // At a terminal it means that the terminal is gone.
  if (!process.stdout.isTTY) process.on('SIGHUP', () => reload.notify());
  const { runCommand } = await import('./app/run.ts');
  const { env: environment, stdout: out } = process;
  return runCommand(options, { environment, out, reload }, stop.signal);
}

async function finish(exitCode: Promise<number>): Promise<void> {
  const code = await exitCode;
  process.exitCode = outputErrorCode ?? code;
  // A name server that does not answer, or a pipe nobody reads, must not keep a finished process alive.
  setTimeout(endNow, EXIT_DELAY_MS).unref();
}

/**
 * process.exit() waits for the threads of the pool, and of those one that asks a dead mount or a name server never comes back.
 * Then only a signal ends the process, which systemd takes for a clean end.
 */
function endNow(): void {
  if (!process.getActiveResourcesInfo().some((kind) => THREAD_POOL_REQUESTS.has(kind))) process.exit();
  process.removeAllListeners('SIGTERM');
  process.kill(process.pid, 'SIGTERM');
}
