/** The server's clock against this host's, where a road of HTTP or HTTPS lets it be asked. */

import type { Result } from '../core/failures/failure.ts';
import { formatDuration } from '../core/model/format-duration.ts';
import { type Check, cross, dash, tick } from './check.ts';

/** More is no matter of the way there, ms. */
const APART_MS_MAX = 30_000;

/** `ask` says how far this host's clock is ahead of the server's, ms; undefined: the server does not say. */
export function serverClockCheck(ask: (signal: AbortSignal) => Promise<Result<number | undefined>>): Check {
  return {
    name: 'server clock',
    async look(signal) {
      const asked = await ask(signal);
      if (!asked.ok) return dash(`could not be asked: ${asked.refusal.detail}`);
      const { value: aheadMs } = asked;
      if (aheadMs === undefined) return dash('the server does not say what time it is');
      const apartMs = Math.abs(aheadMs);
      if (apartMs < 2_000) return tick('agrees with the clock of this host');
      const seen = `the clock of this host is ${formatDuration(apartMs)} ${aheadMs > 0 ? 'ahead of' : 'behind'} the server's`;
      if (apartMs <= APART_MS_MAX) return tick(seen);
      return cross(
        seen,
        'one of the two is wrong: readings are dated wrongly, and certificates may seem expired or not valid yet',
        'check the time service of this host (timedatectl), then that of the server',
      );
    },
  };
}
