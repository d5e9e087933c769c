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
import { paintFor } from '../ui/style.ts';
import type { Terminal } from '../ui/terminal.ts';
import { answerOf, type StatusAnswer } from './json.ts';
import { statusLines } from './view.ts';
import { type StatusPlaces, unlessUnseen } from './without-status.ts';

export interface StatusOptions extends StatusPlaces {
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
  const ask = () => currentAnswer(options, environment, clock);
  if (options.watch) return watchStatus(ask, clock, terminal);
  const answer = await ask();
  terminal.write(options.json ? `${JSON.stringify(answer, undefined, 2)}\n` : textOf(answer, terminal));
  return answer.exitCode;
}

export async function currentAnswer(
  places: StatusPlaces,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
): Promise<StatusAnswer> {
  const { bootId } = clock;
  const found = await readStatusFile(runtimeDirectory(places.runtime, environment), bootId);
  const answer = answerOf(found, { bootId, bootMs: clock.bootMs(), wallMs: clock.wallMs() });
  return unlessUnseen(answer, places, environment);
}

function textOf(answer: StatusAnswer, terminal: Terminal): string {
  const { columns } = terminal.size();
  return statusLines(answer, columns, paintFor(terminal))
    .map((line) => `${line}\n`)
    .join('');
}

/** Until Ctrl-C. Where there is no screen, each answer that differs from the one before in more than its ages is written below. */
async function watchStatus(
  ask: () => Promise<StatusAnswer>,
  clock: Clock,
  terminal: Terminal,
): Promise<number> {
  let answer = await ask();
  using screen: Screen | undefined = terminal.isLive ? openScreen(terminal) : undefined;
  let shown = '';
  while (!terminal.ended.aborted) {
    const text = textOf(answer, terminal);
    if (screen) screen.draw(text.trimEnd().split('\n'));
    else if (shown !== gist(answer)) terminal.write(`${text}\n`);
    shown = gist(answer);
    await clock.sleep(EVERY_MS, terminal.ended);
    answer = await ask();
  }
  return answer.exitCode;
}

function gist({ state, why, retry, open, events }: StatusAnswer): string {
  const told = (list: StatusAnswer['events']) => list.map(({ event, at }) => [event, at.slice(0, 16)]);
  return JSON.stringify([state, why, retry?.event, told(open), told(events)]);
}
