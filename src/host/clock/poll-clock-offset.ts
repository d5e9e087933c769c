/** The offset of the host's clock, from its time service: systemd-timesyncd or chrony. */

import type { Clock } from '../../core/ports/clock.ts';
import { PolledNumber } from '../process/polled-number.ts';
import { readChronyOffset } from './chrony-offset.ts';
import { readTimesyncdOffset } from './timesyncd-offset.ts';

export interface ClockOffsetOptions {
  readonly clock: Pick<Clock, 'sleep' | 'wallMs'>;
  /** Set by tests only. */
  readonly busctl?: string;
  readonly chronyc?: string;
}

/** Reads true time minus host time, ms: positive if the host is behind. Never rejects. */
export function pollClockOffset({
  clock,
  busctl = 'busctl',
  chronyc = 'chronyc',
}: ClockOffsetOptions): PolledNumber {
  return new PolledNumber(
    async (signal) =>
      (await readTimesyncdOffset(busctl, clock, signal)) ?? (await readChronyOffset(chronyc, clock, signal)),
    clock,
  );
}
