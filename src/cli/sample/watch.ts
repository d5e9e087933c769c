/**
 * `firstlight sample --watch`: one reading per second, or per interval, until Ctrl-C. On a terminal a live view on its alternate screen; elsewhere
 * the table once, then one line for each changed value.
 */

import { EX_OK } from '../../app/exit-codes.ts';
import { formatDurationSetting } from '../../core/model/format-duration.ts';
import type { Value, Values } from '../../core/model/reading.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Sensors } from '../../core/ports/sensors.ts';
import type { Terminal } from '../ui/terminal.ts';
import { openScreen } from '../ui/terminal.ts';
import type { Group } from './rows.ts';
import { tableLines } from './table.ts';
import { SPARKLINE_MAX, type WatchView, watchViewLines } from './watch-layout.ts';

export interface WatchPorts {
  readonly sensors: Sensors;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly group: (values: Values) => readonly Group[];
  /** Between two readings, ms. */
  readonly everyMs: number;
}

/** Resolves with the exit code when the terminal's `ended` aborts. */
export async function watchSamples(ports: WatchPorts): Promise<number> {
  return ports.terminal.isLive ? watchOnScreen(ports) : watchAsLines(ports);
}

async function watchOnScreen({ sensors, clock, terminal, group, everyMs }: WatchPorts): Promise<number> {
  const history = new Map<string, (number | undefined)[]>();
  let view: WatchView | undefined;
  using screen = openScreen(terminal);
  const draw = (): void => {
    if (view === undefined) return;
    const { columns, rows } = terminal.size();
    screen.draw(watchViewLines(view, columns, rows));
  };
  terminal.onResize(draw, terminal.ended);
  while (!terminal.ended.aborted) {
    const values = await sensors.sample();
    recordHistory(history, values);
    const title = `firstlight  ${timeOfDay(clock)}  one reading ${everyMs === 1000 ? 'per second' : `every ${formatDurationSetting(everyMs)}`}, Ctrl-C to stop`;
    view = { groups: group(values), history, title };
    draw();
    await clock.sleep(everyMs, terminal.ended);
  }
  return EX_OK;
}

async function watchAsLines({ sensors, clock, terminal, group, everyMs }: WatchPorts): Promise<number> {
  const previous = new Map<string, Value>();
  while (!terminal.ended.aborted) {
    const groups = group(await sensors.sample());
    const isFirst = previous.size === 0;
    const time = timeOfDay(clock);
    if (isFirst) for (const line of tableLines(groups, terminal.size().columns)) terminal.write(`${line}\n`);
    for (const { key, value, amount, unit } of groups.flatMap(({ rows }) => rows)) {
      if (!isFirst && previous.get(key) !== value)
        terminal.write(`${time}  ${key}  ${[amount, unit].join(' ').trim()}\n`);
      previous.set(key, value);
    }
    await clock.sleep(everyMs, terminal.ended);
  }
  return EX_OK;
}

/** Appends one reading to the history of every key and drops the oldest ones. */
function recordHistory(history: Map<string, (number | undefined)[]>, values: Values): void {
  for (const key of new Set([...history.keys(), ...Object.keys(values)])) {
    const value = values[key];
    const readings = history.get(key) ?? [];
    readings.push(typeof value === 'number' ? value : undefined);
    if (readings.length > SPARKLINE_MAX) readings.shift();
    history.set(key, readings);
  }
}

/** Such as 07:45:01, local time. */
function timeOfDay(clock: Clock): string {
  return new Date(clock.wallMs()).toTimeString().slice(0, 8);
}
