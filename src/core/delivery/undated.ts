/**
 * Live delivery: the newest reading of a host whose clock is not right yet, posted without a date while it is fresh.
 *
 * The server dates it by its own clock when it arrives (contract section 4.1), which is right to within
 * `LIVE_MS_MAX`; a reading that could not be posted in that time waits until its date is known. Such a message must not
 * be repeated by us, because without a date a repetition is a second point (trap 9). What remains: if its answer is
 * lost for so long, the reading is stored once more later, under its own date.
 */

import { DEADLINE, LinkedAbort } from '../async/abort.ts';
import type { Result } from '../failures/failure.ts';
import type { Reading } from '../model/reading.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Transport } from '../ports/transport.ts';
import type { Settlement } from './batch-result.ts';
import { packTelemetry } from './encode.ts';
import type { Parcel } from './message.ts';

/** How old a reading may be when the server dates it, ms. */
export const LIVE_MS_MAX = 10_000;

const NOTHING_FITS = { event: { type: 'stepped' }, giveUp: true } as const;

export interface LivePorts {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly transport: Transport;
}

export class LiveDelivery {
  readonly #ports: LivePorts;
  readonly #settlement: Settlement;

  constructor(ports: LivePorts, settlement: Settlement) {
    this.#ports = ports;
    this.#settlement = settlement;
  }

  /** The newest reading, if it has no date and is fresh enough to go without. */
  parcel(token: Secret, signal: AbortSignal): Parcel | undefined {
    const { clock, outbox } = this.#ports;
    const reading = outbox.offerLive();
    if (!reading) return undefined;
    if (clock.bootMs() - reading.bootMs >= LIVE_MS_MAX) {
      outbox.settleLive(reading, false);
      return undefined;
    }
    const packed = packTelemetry([reading]);
    this.#settlement.setAside.tellOversized(packed.oversizedKeys);
    return {
      bodies: packed.bodies,
      post: (body) => this.#post(reading, token, body, signal),
      settle: async (result) => {
        if (result.ok && packed.bodies.length > 0) {
          outbox.settleLive(reading, true);
          return this.#settlement.accepted(1);
        }
        const { event, giveUp } = result.ok ? NOTHING_FITS : this.#settlement.live(result);
        outbox.settleLive(reading, giveUp);
        if (giveUp) this.#settlement.setAside.lose(reading, 'malformed');
        return event;
      },
    };
  }

  async #post(reading: Reading, token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const { clock, transport } = this.#ports;
    using deadline = new LinkedAbort(signal);
    const leftMs = LIVE_MS_MAX - (clock.bootMs() - reading.bootMs);
    void clock.sleep(leftMs, deadline.signal).then(() => deadline.abort(DEADLINE));
    const result = await transport.postTelemetry(token, body, deadline.signal);
    deadline.abort();
    if (result.ok || signal.aborted || result.refusal.reason !== 'aborted') return result;
    const detail = `no answer while the reading was fresh (${LIVE_MS_MAX / 1000} s)`;
    return { ok: false, refusal: { reason: 'silent', detail } };
  }
}
