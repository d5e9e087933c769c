/**
 * `firstlight status`: shows the state of the agent from the status file in its runtime directory. Works for any user, without
 * network and lock. Exit codes: 0 online, 1 offline but healthy (also while starting), 2 action needed, 3 not running or unknown.
 */

import { runtimeDirectory } from '../../app/paths.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { readStatusFile } from '../../host/systemd/status-file.ts';
import { styleFor } from '../ui/style.ts';
import type { Terminal } from '../ui/terminal.ts';
import { openScreen, type Screen } from '../ui/terminal.ts';
import { readUpdateSummary, type UpdateSummary } from '../update/summary.ts';
import { type StatusJson, statusJson, type UpdateJson } from './json.ts';
import { withServiceFailure } from './service-failure.ts';
import { statusLines } from './view.ts';
import { type StatusPaths, withLockState } from './without-status.ts';

export interface StatusOptions extends StatusPaths {
  readonly json?: boolean;
  readonly watch?: boolean;
}

const REFRESH_MS = 2_000;

/** Resolves with the exit code. */
export async function statusCommand(
  options: StatusOptions,
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<number> {
  const clock = hostClock();
  const readStatus = async () =>
    withServiceFailure(await currentStatus(options, environment, clock), options, environment, {
      clock,
      signal: terminal.ended,
    });
  if (options.watch) return watchStatus(readStatus, clock, terminal);
  const status = await readStatus();
  terminal.write(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : statusText(status, terminal));
  return status.exitCode;
}

export async function currentStatus(
  paths: StatusPaths,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
): Promise<StatusJson> {
  const { bootId } = clock;
  const file = await readStatusFile(runtimeDirectory(paths.runtime, environment), bootId);
  const status = statusJson(file, { bootId, bootMs: clock.bootMs(), wallMs: clock.wallMs() });
  return withLockState({ ...status, update: updateJson(readUpdateSummary()) }, paths, environment);
}

function updateJson({ keyIds, last }: UpdateSummary): UpdateJson | null {
  return keyIds.length > 0 || last ? { on: keyIds.length > 0, last: last ?? null } : null;
}

function statusText(status: StatusJson, terminal: Terminal): string {
  const { columns } = terminal.size();
  return statusLines(status, columns, styleFor(terminal))
    .map((line) => `${line}\n`)
    .join('');
}

/** Runs until Ctrl-C. Without a screen, each status is appended that differs from the previous one in more than its ages. */
async function watchStatus(
  readStatus: () => Promise<StatusJson>,
  clock: Clock,
  terminal: Terminal,
): Promise<number> {
  let status = await readStatus();
  using screen: Screen | undefined = terminal.isLive ? openScreen(terminal) : undefined;
  let previousKey = '';
  while (!terminal.ended.aborted) {
    const text = statusText(status, terminal);
    if (screen) screen.draw(text.trimEnd().split('\n'));
    else if (previousKey !== changeKey(status)) terminal.write(`${text}\n`);
    previousKey = changeKey(status);
    await clock.sleep(REFRESH_MS, terminal.ended);
    status = await readStatus();
  }
  return status.exitCode;
}

function changeKey({ state, reasons, retry, openEvents, recentEvents }: StatusJson): string {
  const eventKeys = (list: StatusJson['recentEvents']) =>
    list.map(({ event, at }) => [event, at.slice(0, 16)]);
  return JSON.stringify([state, reasons, retry?.event, eventKeys(openEvents), eventKeys(recentEvents)]);
}
