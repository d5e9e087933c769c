/**
 * Delivers the newest reading of a host with an unsynchronised clock without a timestamp while it is fresh.
 *
 * The server dates it on arrival (contract section 4.1), correct to within `UNDATED_AGE_MS_MAX`; an older
 * reading waits for its timestamp. The request must not be repeated, because without a timestamp a repetition
 * is a second point (trap 9). If only the response is lost, the reading is stored once more later, under its
 * own timestamp.
 */

import { ChildAbortController, DEADLINE } from '../async/abort.ts';
import type { Result } from '../failures/failure.ts';
import type { Reading } from '../model/reading.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Outbox } from '../ports/outbox.ts';
import type { Transport } from '../ports/transport.ts';
import type { BatchResultHandler } from './batch-result.ts';
import { encodeTelemetry } from './encode.ts';
import type { OutgoingMessage } from './message.ts';

/** Maximum age of a reading that the server dates, ms. */
export const UNDATED_AGE_MS_MAX = 10_000;

const OVERSIZED = { event: { type: 'progressed' }, discard: true } as const;

export interface UndatedDeliveryPorts {
  readonly clock: Clock;
  readonly outbox: Outbox;
  readonly transport: Transport;
}

export class UndatedDelivery {
  readonly #ports: UndatedDeliveryPorts;
  readonly #resultHandler: BatchResultHandler;

  constructor(ports: UndatedDeliveryPorts, resultHandler: BatchResultHandler) {
    this.#ports = ports;
    this.#resultHandler = resultHandler;
  }

  /** The newest reading if it is undated and fresh enough. */
  nextMessage(token: Secret, signal: AbortSignal): OutgoingMessage | undefined {
    const { clock, outbox } = this.#ports;
    const reading = outbox.takeUndated();
    if (!reading) return undefined;
    if (clock.bootMs() - reading.bootMs >= UNDATED_AGE_MS_MAX) {
      outbox.completeUndated(reading, false);
      return undefined;
    }
    const bytesMax = this.#ports.transport.bodyBytesMax(token);
    const encoded = encodeTelemetry([reading], bytesMax);
    this.#resultHandler.discarded.logOversized(encoded.oversizedKeys, bytesMax);
    return {
      bodies: encoded.bodies,
      post: (body) => this.#post(reading, token, body, signal),
      onResult: async (result) => {
        if (result.ok && encoded.bodies.length > 0) {
          outbox.completeUndated(reading, true);
          return this.#resultHandler.onAccepted(1, Object.keys(reading.values).length, [reading]);
        }
        const { event, discard } = result.ok ? OVERSIZED : this.#resultHandler.onUndatedFailure(result);
        outbox.completeUndated(reading, discard);
        if (discard) this.#resultHandler.discarded.add(reading, 'malformed');
        return event;
      },
    };
  }

  async #post(reading: Reading, token: Secret, body: string, signal: AbortSignal): Promise<Result<void>> {
    const { clock, transport } = this.#ports;
    using deadline = new ChildAbortController(signal);
    const leftMs = UNDATED_AGE_MS_MAX - (clock.bootMs() - reading.bootMs);
    void clock.sleep(leftMs, deadline.signal).then(() => deadline.abort(DEADLINE));
    const result = await transport.postTelemetry(token, body, deadline.signal);
    deadline.abort();
    if (result.ok || signal.aborted || result.failure.reason !== 'aborted') return result;
    const detail = `no response while the reading was fresh (${UNDATED_AGE_MS_MAX / 1000} s)`;
    return { ok: false, failure: { reason: 'server-timeout', detail } };
  }
}
