/**
 * `firstlight sample`: reads the sensors once and shows what would be sent, without a server, credentials or
 * anything stored.
 *
 * It takes two samples half a second apart and shows the second, since rates and the CPU's use exist only
 * between two. The table is for people (bytes as KiB, MiB, GiB); `--json` is the reading as it goes to the
 * server, for programs.
 */

import type { Writable } from 'node:stream';
import type { Clock, Logger } from '../core/ports.ts';
import type { Value, Values } from '../core/reading.ts';
import { hostClock } from '../host/clock.ts';
import { openJournal } from '../host/journal.ts';
import { describeKey, unitOf } from '../sensors/catalogue.ts';
import { openSensors } from '../sensors/sampler.ts';
import { humanised } from './humanise.ts';

export interface SampleOptions {
  readonly json: boolean;
  readonly clock: Clock;
  readonly log: Logger;
  /** Default `/`. */
  readonly root?: string;
}

/** Where the command writes; process.stdout is one. */
export interface Out {
  write(text: string): unknown;
}

/**
 * The command as main.ts calls it: this host, its clock, and what the sensors complain about on `complaints`.
 */
export async function sampleThisHost(json: boolean, out: Out, complaints: Writable): Promise<number> {
  const clock = hostClock();
  const log = openJournal({ level: 'warn', format: 'text', journal: false, clock, stream: complaints });
  const code = await sampleCommand({ json, clock, log }, out);
  await log.close();
  return code;
}

/** Resolves with the exit code: 0, or 1 when not one sensor could be read. */
export async function sampleCommand(options: SampleOptions, out: Out): Promise<number> {
  const { clock, log } = options;
  const sensors = openSensors({ root: options.root ?? '/', clock, log });
  await sensors.sample();
  await clock.sleep(BETWEEN_SAMPLES_MS, new AbortController().signal);
  const values = await sensors.sample();
  if (options.json) out.write(`${JSON.stringify({ tsMs: clock.wallMs(), values })}\n`);
  else out.write(table(values));
  return Object.keys(values).length > 0 ? 0 : 1;
}

const BETWEEN_SAMPLES_MS = 500;
const HEADING = ['KEY', 'VALUE', 'UNIT', 'MEANING'] as const;

type Row = readonly [key: string, value: string, unit: string, meaning: string];

function table(values: Values): string {
  if (Object.keys(values).length === 0) return 'No sensor could be read.\n';
  const rows: readonly Row[] = [HEADING, ...Object.entries(values).map(([key, value]) => row(key, value))];
  const width = (column: 0 | 1 | 2) => Math.max(...rows.map((cells) => cells[column].length));
  const [keyWidth, valueWidth, unitWidth] = [width(0), width(1), width(2)];
  return rows
    .map(([key, value, unit, meaning]) =>
      [key.padEnd(keyWidth), value.padStart(valueWidth), unit.padEnd(unitWidth), meaning].join('  '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

function row(key: string, value: Value): Row {
  const unit = unitOf(key);
  const meaning = describeKey(key)?.meaning ?? '';
  if (typeof value === 'number' && (unit === 'B' || unit === 'B/s')) {
    const [amount, prefixed] = humanised(value, unit);
    return [key, amount, prefixed, meaning];
  }
  return [key, String(value), unit, meaning];
}
