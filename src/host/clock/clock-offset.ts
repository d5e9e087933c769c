/**
 * How far the host's clock is from true time: asked of its time service, systemd-timesyncd or chrony, every five minutes beside the sampling, and known in
 * between. Nothing is known on a host with another time service, or with none. Never rejects.
 */

import type { Clock } from '../../core/ports/clock.ts';
import { PolledNumber } from '../process/polled-number.ts';
import { chronyOffset } from './chrony-offset.ts';
import { timesyncdOffset } from './timesyncd-offset.ts';

export interface ClockOffsetOptions {
  readonly clock: Pick<Clock, 'sleep' | 'wallMs'>;
  /** Given by tests. */
  readonly busctl?: string;
  readonly chronyc?: string;
}

/** True time minus host, ms: positive where the host was behind. */
export function clockOffset({
  clock,
  busctl = 'busctl',
  chronyc = 'chronyc',
}: ClockOffsetOptions): PolledNumber {
  return new PolledNumber(
    async (signal) =>
      (await timesyncdOffset(busctl, clock, signal)) ?? (await chronyOffset(chronyc, clock, signal)),
    clock,
  );
}
