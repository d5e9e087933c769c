/** Draws what the operator does with the server of one gateway: shared attributes, good and bad, and commands. */

import type { SeededRandom } from '../seeded-random.ts';
import { METHODS, type Method } from './command-record.ts';
import { GOOD_URLS, NOBODY_URL, STRANGER_URL } from './cut-off-transport.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

export type DownlinkAction = { readonly atMs: number } & (
  | { readonly is: 'set'; readonly values: Values }
  | { readonly is: 'delete'; readonly key: string }
  | { readonly is: 'command'; readonly method: Method; readonly isTwoWay: boolean }
);

/** An interval with which a gateway posts hardly anything; it is taken back soon. */
const HUGE = '24h';
/** Set when the faults end; the gateway must use the interval, and not the URL. */
export const LAST_SETTINGS = { telemetryInterval: '45s', serverUrl: NOBODY_URL };

type Values = Readonly<Record<string, unknown>>;

function valuesWith(intervals: DownlinkPace['intervals']): readonly (readonly [number, Values])[] {
  const [one, other] = intervals;
  return [
    [4, { telemetryInterval: one }],
    [4, { telemetryInterval: other }],
    [1, { telemetryInterval: other, logLevel: 'debug' }],
    [2, { telemetryInterval: HUGE }],
    [1, { telemetryInterval: 'soon' }],
    [1, { telemetryInterval: 30 }],
    [1, { telemetryIntervall: '30s' }],
    [2, { logLevel: 'debug' }],
    [1, { logLevel: 'info' }],
    [1, { sensorsOff: 'x'.repeat(5_000) }],
    [2, { serverSpread: '2m' }],
    [1, { serverSpread: '10m' }],
    [4, { serverUrl: NOBODY_URL }],
    [3, { serverUrl: STRANGER_URL }],
    [1, { serverUrl: NOBODY_URL, telemetryInterval: other }],
    [1, { serverUrl: 'ftp://192.0.2.7' }],
    [3, { serverUrl: GOOD_URLS[1] }],
    [1, { serverUrl: `${NOBODY_URL},${GOOD_URLS[0]}` }],
  ];
}

/** The longest pause between two actions, ms, and good intervals. */
export interface DownlinkPace {
  readonly pauseMsMax: number;
  readonly intervals: readonly [string, string];
}

const KEYS = ['telemetryInterval', 'logLevel', 'serverSpread', 'serverUrl'] as const;

export function drawDownlink(
  random: SeededRandom,
  untilMs: number,
  { pauseMsMax, intervals }: DownlinkPace,
): readonly DownlinkAction[] {
  const choices = valuesWith(intervals);
  const actions: DownlinkAction[] = [];
  for (
    let atMs = random.logBetween(MINUTE, pauseMsMax);
    atMs < untilMs;
    atMs += random.logBetween(10 * SECOND, pauseMsMax)
  ) {
    const kind = random.weighted([
      [5, 'set'],
      [2, 'delete'],
      [6, 'command'],
    ] as const);
    if (kind === 'command') {
      const method = METHODS[random.integer(0, METHODS.length - 1)] ?? 'read';
      actions.push({ atMs, is: 'command', method, isTwoWay: random.isTrue(0.7) });
    } else if (kind === 'delete') {
      actions.push({ atMs, is: 'delete', key: KEYS[random.integer(0, KEYS.length - 1)] ?? 'serverUrl' });
    } else {
      const values = random.weighted(choices);
      actions.push({ atMs, is: 'set', values });
      if (values['telemetryInterval'] !== HUGE) continue;
      atMs += random.logBetween(MINUTE, 30 * MINUTE);
      actions.push({ atMs, is: 'delete', key: 'telemetryInterval' });
    }
  }
  return actions.filter(({ atMs }) => atMs < untilMs);
}
