/**
 * `firstlight status`: how the agent is, from the file it keeps in its runtime directory. For any user; asks no network, needs
 * no lock, changes nothing.
 *
 * Exit codes: 0 online, 1 offline but healthy (also while it starts), 2 something needs a person, 3 not running or unknown.
 */

import { runtimeDirectory } from '../../app/paths.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { readStatusFile } from '../../host/systemd/status-file.ts';
import { openScreen, type Screen } from '../ui/screen.ts';
import { styleFor } from '../ui/style.ts';
import type { Terminal } from '../ui/terminal.ts';
import { type StatusJson, statusJson } from './json.ts';
import { statusLines } from './view.ts';
import { type StatusPaths, withLockState } from './without-status.ts';

export interface StatusOptions extends StatusPaths {
  readonly json?: boolean;
  readonly watch?: boolean;
}

const EVERY_MS = 2_000;

/** Resolves with the exit code. */
export async function statusCommand(
  options: StatusOptions,
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<number> {
  const clock = hostClock();
  const readStatus = () => currentStatus(options, environment, clock);
  if (options.watch) return watchStatus(readStatus, clock, terminal);
  const status = await readStatus();
  terminal.write(options.json ? `${JSON.stringify(status, undefined, 2)}\n` : statusText(status, terminal));
  return status.exitCode;
}

export async function currentStatus(
  places: StatusPaths,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
): Promise<StatusJson> {
  const { bootId } = clock;
  const found = await readStatusFile(runtimeDirectory(places.runtime, environment), bootId);
  const status = statusJson(found, { bootId, bootMs: clock.bootMs(), wallMs: clock.wallMs() });
  return withLockState(status, places, environment);
}

function statusText(status: StatusJson, terminal: Terminal): string {
  const { columns } = terminal.size();
  return statusLines(status, columns, styleFor(terminal))
    .map((line) => `${line}\n`)
    .join('');
}

/** Until Ctrl-C. Where there is no screen, each answer that differs from the one before in more than its ages is written below. */
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
    await clock.sleep(EVERY_MS, terminal.ended);
    status = await readStatus();
  }
  return status.exitCode;
}

function changeKey({
  state,
  reasons: why,
  retry,
  openEvents: open,
  recentEvents: events,
}: StatusJson): string {
  const eventKeys = (list: StatusJson['recentEvents']) =>
    list.map(({ event, at }) => [event, at.slice(0, 16)]);
  return JSON.stringify([state, why, retry?.event, eventKeys(open), eventKeys(events)]);
}
