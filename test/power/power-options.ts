/**
 * Options of `npm run test:power`: `--only boot` or `--only spool`, `--seed N`, and the numbers of runs:
 * `--cuts N` (100), `--control-cuts N` (30), `--double-kills N` (40), `--spool-cuts N` (100),
 * `--spool-control-cuts N` (12); in parallel: `--lanes N` (2; boots need the processor) and `--spool-lanes N`
 * (10; spooling waits).
 */

import { parseArgs } from 'node:util';

export interface PowerOptions {
  /** Absent: both. */
  readonly only: string | undefined;
  readonly cuts: number;
  readonly controlCuts: number;
  readonly doubleKills: number;
  readonly spoolCuts: number;
  readonly spoolControlCuts: number;
  readonly lanes: number;
  readonly spoolLanes: number;
  readonly seed: number;
}

const number = (fallback: string) => ({ type: 'string', default: fallback }) as const;

/** Throws an error that names the wrong option. */
export function readOptions(): PowerOptions {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      cuts: number('100'),
      'control-cuts': number('30'),
      'double-kills': number('40'),
      'spool-cuts': number('100'),
      'spool-control-cuts': number('12'),
      lanes: number('2'),
      'spool-lanes': number('10'),
      seed: number('1'),
    },
  });
  const { only, ...numbers } = values;
  if (only !== undefined && only !== 'boot' && only !== 'spool')
    throw new Error(`--only must be boot or spool, not ${only}`);
  for (const [name, text] of Object.entries(numbers)) {
    if (!/^\d{1,6}$/.test(text)) throw new Error(`--${name} must be a number, not ${text}`);
  }
  return {
    only,
    cuts: Number(values.cuts),
    controlCuts: Number(values['control-cuts']),
    doubleKills: Number(values['double-kills']),
    spoolCuts: Number(values['spool-cuts']),
    spoolControlCuts: Number(values['spool-control-cuts']),
    lanes: Math.max(1, Number(values.lanes)),
    spoolLanes: Math.max(1, Number(values['spool-lanes'])),
    seed: Number(values.seed),
  };
}
