/**
 * The downlink over CoAP (contract sections 2, 5 and 6): observations and replies, past the CoAP library. None of
 * its exchanges keeps telemetry from replacing the socket.
 */

import { randomBytes } from 'node:crypto';
import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import { Semaphore } from '../../core/async/semaphore.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Downlink, DownlinkListener, Subscriptions } from '../../core/ports/downlink.ts';
import { type Logger, SILENT_LOGGER } from '../../core/ports/log.ts';
import type { Random } from '../../core/ports/random.ts';
import { replyFailure } from '../downlink-messages.ts';
import { BLOCK_BYTES_MAX, fetchRemainingBlocks, postInBlocks, type SendRequest } from './block-transfer.ts';
import { abortToTimeout, classifyError } from './classify-response.ts';
import type { CoapClient } from './client.ts';
import type { ExchangeSettings } from './confirmable-exchange.ts';
import type { CoapConnection } from './connection.ts';
import { observeDevice, RENEWAL_INTERVALS, type RenewalIntervals } from './observe-device.ts';
import type { RetransmissionTiming, RetransmitPolicy } from './retransmission-timing.ts';

export interface CoapDownlinkPorts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly log?: Logger;
  readonly timingOf: (policy: RetransmitPolicy, rtoMs: number) => RetransmissionTiming;
  /** When a request other than those of the downlink last succeeded, monotonic ms. */
  readonly lastSuccessMs: () => number;
  /** The path of the device, with its access token if it has one. */
  readonly devicePath: (token: Secret) => readonly string[];
  /** Of a block of a reply. Default: 1,024. */
  readonly blockBytesMax?: number;
  /** Shorter intervals, for tests. */
  readonly renewals?: RenewalIntervals;
}

/** 64 blocks, each with a round trip of one second and some losses, ms. */
const REPLY_TIMEOUT_MS = 180_000;
/** Up to 64 blocks of a notification, ms. The server repeats it for 62 to 93 s (contract section 5). */
const FETCH_TIMEOUT_MS = 60_000;

/** If telemetry has succeeded within this time, it decides about the socket, ms. */
const RECENTLY_MS = 5 * 60_000;

export class CoapDownlink implements Downlink {
  readonly #connection: CoapConnection;
  readonly #ports: CoapDownlinkPorts;
  /** One transfer at a time (contract section 2). */
  readonly #transfers = new Semaphore(1);

  constructor(connection: CoapConnection, ports: CoapDownlinkPorts) {
    this.#connection = connection;
    this.#ports = ports;
  }

  listen(
    token: Secret,
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    const { clock, random, devicePath, log = SILENT_LOGGER, renewals = RENEWAL_INTERVALS } = this.#ports;
    return observeDevice(
      devicePath(token),
      subscriptions,
      listener,
      {
        connection: this.#connection,
        clock,
        random,
        log,
        renewals,
        reportFailure: (failure) => this.#reportFailure(failure),
        settingsFor: (client) => this.#settingsFor(client),
        fetchBody: (client, path, first, fetchSignal) =>
          this.#withTimeout(FETCH_TIMEOUT_MS, fetchSignal, (timeout) =>
            fetchRemainingBlocks(this.#sender(client, timeout), path, first),
          ),
      },
      signal,
    );
  }

  reply(token: Secret, commandId: number, body: string, signal: AbortSignal): Promise<Result<void>> {
    const failure = replyFailure(body);
    if (failure) return Promise.resolve({ ok: false, failure });
    const bytes = Buffer.from(body);
    const { devicePath, blockBytesMax = BLOCK_BYTES_MAX } = this.#ports;
    const path = [...devicePath(token), 'rpc', String(commandId)];
    return this.#withTimeout(REPLY_TIMEOUT_MS, signal, async (timeout) => {
      const post = () => this.#postReply(path, bytes, blockBytesMax, timeout);
      if (bytes.length <= blockBytesMax) return post();
      return (await this.#transfers.run(post, timeout)) ?? aborted();
    });
  }

  /** Starts again on a new socket if telemetry has replaced the one in use. */
  async #postReply(
    path: readonly string[],
    body: Buffer,
    blockBytesMax: number,
    signal: AbortSignal,
  ): Promise<Result<void>> {
    for (;;) {
      const client = await this.#connection.client(signal);
      if (!client.ok) return client;
      const result = await postInBlocks(this.#sender(client.value, signal), path, body, blockBytesMax);
      if (client.value.messageLayer.isClosed && !result.ok && !signal.aborted) continue;
      if (!result.ok) {
        this.#reportFailure(result.failure);
        return result;
      }
      if (result.value.code === '2.01') return { ok: true, value: undefined };
      return { ok: false, failure: classifyError(result.value) };
    }
  }

  /** A new socket or address may help, but must not disturb telemetry that works. */
  #reportFailure(failure: Failure): void {
    const { clock, lastSuccessMs } = this.#ports;
    if (clock.monotonicMs() - lastSuccessMs() > RECENTLY_MS) this.#connection.reportResult(failure);
  }

  /** Sends requests, each with a new token. */
  #sender(client: CoapClient, signal: AbortSignal): SendRequest {
    return async (request) => {
      if (signal.aborted) return aborted();
      const token = randomBytes(8).toString('hex');
      const exchange = client.messageLayer.sendRequest({ ...request, token }, this.#settingsFor(client));
      const abort = () => exchange.fail(aborted().failure);
      signal.addEventListener('abort', abort);
      const outcome = await exchange.outcome;
      signal.removeEventListener('abort', abort);
      return outcome.type === 'response'
        ? { ok: true, value: outcome.response }
        : { ok: false, failure: outcome.failure };
    };
  }

  #settingsFor({ rtoEstimator }: CoapClient): Omit<ExchangeSettings, 'token'> {
    const { clock, timingOf } = this.#ports;
    const timing = timingOf('retryable', rtoEstimator.rtoMs(clock.monotonicMs()));
    return {
      policy: 'retryable',
      timing,
      rtoEstimator,
      isIdempotent: true,
      deferAcknowledgement: false,
      isBackground: true,
    };
  }

  async #withTimeout<T>(
    ms: number,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<Result<T>>,
  ): Promise<Result<T>> {
    using timeout = new ChildAbortController(signal);
    void this.#ports.clock.sleep(ms, timeout.signal).then(() => timeout.abort(DEADLINE));
    const result = abortToTimeout(await work(timeout.signal), timeout.signal);
    timeout.abort();
    return result;
  }
}
