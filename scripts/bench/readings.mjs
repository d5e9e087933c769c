/**
 * Readings at any interval for a day, made at once from samples of this host taken once a second, filtered by the agent's own
 * `DeltaEncoder`. Consecutive readings use samples about ten seconds apart (`STRIDE`), so that as much changes between them as
 * between two readings at the default interval; only the uptime is computed.
 */

import { settings } from '../../src/config/schema/settings.ts';
import { parseDeadbands } from '../../src/config/values/sensor-lists.ts';
import { DeltaEncoder } from '../../src/core/sampling/delta.ts';

/** Shares no factor with the number of samples captured. */
const STRIDE = 11;

/** The encoder of the agent, with the default deadbands. */
export function defaultEncoder() {
  return new DeltaEncoder(parseDeadbands(settings.telemetryDeadband.default));
}

/** Endless; `everyMs` apart, the first at `firstTsMs`. */
export function* readingsOf(captured, { bootId, everyMs, firstTsMs }) {
  const encoder = defaultEncoder();
  const { uptimeS = 0 } = captured[0];
  for (let index = 0; ; index += 1) {
    const bootMs = index * everyMs;
    const sample = captured[(index * STRIDE) % captured.length];
    const values = { ...sample, uptimeS: uptimeS + Math.round(bootMs / 1000) };
    const change = encoder.next(values, bootMs, index === 0);
    if (change) yield { bootId, bootMs, tsMs: firstTsMs + bootMs, ...change };
  }
}
