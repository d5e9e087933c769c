/** Compares the clock of the server with that of this host, over HTTP or HTTPS. */

import type { Result } from '../core/failures/failure.ts';
import { formatDuration } from '../core/model/format-duration.ts';
import { type Check, fail, pass, skip } from './check.ts';

/** A larger difference cannot be network delay, ms. */
const DIFFERENCE_MS_MAX = 30_000;

/** `measureOffset` resolves with the lead of this host's clock, ms; undefined if the server sends no time. */
export function serverClockCheck(
  measureOffset: (signal: AbortSignal) => Promise<Result<number | undefined>>,
): Check {
  return {
    name: 'server clock',
    async run(signal) {
      const measurement = await measureOffset(signal);
      if (!measurement.ok) return skip(`could not be read: ${measurement.failure.detail}`);
      const { value: aheadMs } = measurement;
      if (aheadMs === undefined) return skip('the server does not send its time');
      const differenceMs = Math.abs(aheadMs);
      if (differenceMs < 2_000) return pass('agrees with the clock of this host');
      const observed = `the clock of this host is ${formatDuration(differenceMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`;
      if (differenceMs <= DIFFERENCE_MS_MAX) return pass(observed);
      return fail(
        observed,
        'one of the two clocks is wrong: timestamps are wrong, and certificates may appear expired or not yet valid',
        'check the time service of this host (timedatectl), then that of the server',
      );
    },
  };
}
