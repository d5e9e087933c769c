/** The parts of a support bundle from other programs: the journal of the service, and the capture of /proc and /sys. */

import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { arch, release } from 'node:os';
import { dirname, join } from 'node:path';
import { VERSION } from '../../app/version.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { DEFAULT_PATH, type ProgramResult, runProgram } from '../../host/process/run-program.ts';

type SleepClock = Pick<Clock, 'sleep'>;

/** Lines of the journal; the smaller number if the larger one exceeds the limit. */
const LINES = [2_000, 200];
const JOURNAL_BYTES_MAX = 2_000_000;
const JOURNAL_MS = 30_000;
const CAPTURE_MS = 180_000;
const CAPTURE = 'capture-host.sh';

/** The text; a problem is a sentence without its subject, `journalctl`. */
export async function readServiceJournal(clock: SleepClock, signal: AbortSignal): Promise<ProgramResult> {
  let result: ProgramResult = { ok: false, problem: 'was not run' };
  for (const lines of LINES) {
    const journalOptions = [
      '-u',
      'firstlight',
      '-n',
      String(lines),
      '-o',
      'short-iso',
      '--no-pager',
      '--quiet',
    ];
    result = await run(
      'journalctl',
      journalOptions,
      { ms: JOURNAL_MS, bytes: JOURNAL_BYTES_MAX },
      clock,
      signal,
    );
    if (result.ok && result.output.length === 0)
      return { ok: false, problem: 'has no lines of Firstlight that this user can read' };
    if (result.ok || !result.problem.startsWith('printed more')) return result;
  }
  return result;
}

/** Writes the capture below `target`; a problem is a sentence without its subject. */
export async function captureHost(
  target: string,
  clock: SleepClock,
  signal: AbortSignal,
): Promise<{ readonly problem?: string }> {
  const script = captureScript();
  if (script === undefined) return { problem: `needs ${CAPTURE}, which is not installed beside the program` };
  const archive = `${target}.tar.gz`;
  const bounds = { ms: CAPTURE_MS, bytes: JOURNAL_BYTES_MAX };
  try {
    const captured = await run('sh', [script, '--out', archive], bounds, clock, signal);
    if (!captured.ok) return captured;
    await mkdir(target, { mode: 0o700 });
    const extracted = await run(
      'tar',
      ['-C', target, '-xzf', archive, '--no-same-owner'],
      bounds,
      clock,
      signal,
    );
    if (extracted.ok) return {};
    await rm(target, { recursive: true, force: true });
    return extracted;
  } finally {
    await rm(archive, { force: true });
  }
}

/** Beside an installed program, or in scripts/ of a clone. */
function captureScript(): string | undefined {
  const home = dirname(process.argv[1] ?? '');
  return [join(home, CAPTURE), join(home, '..', '..', 'scripts', CAPTURE)].find((path) => existsSync(path));
}

export async function versionText(runningVersion: string | null): Promise<string> {
  const system = await readFile('/etc/os-release', 'utf8').catch(() => '');
  const [, name = 'unknown'] = /^PRETTY_NAME="?([^"\n]*)/m.exec(system) ?? [];
  return [
    `firstlight ${VERSION}${runningVersion === null || runningVersion === VERSION ? '' : `, while ${runningVersion} is running`}`,
    `node ${process.version} ${arch()}`,
    `system ${name}`,
    `kernel ${release()}`,
    '',
  ].join('\n');
}

function run(
  command: string,
  args: readonly string[],
  { ms, bytes }: { readonly ms: number; readonly bytes: number },
  clock: SleepClock,
  signal: AbortSignal,
): Promise<ProgramResult> {
  const environment = { PATH: process.env['PATH'] ?? DEFAULT_PATH, LC_ALL: 'C' };
  const program = { command, arguments: args, environment, deadlineMs: ms, outputBytesMax: bytes };
  return runProgram({ ...program, errorLine: 'last line' }, clock, signal);
}
