/**
 * The downlink loop: listens to shared attributes and commands while the session delivers, and registers again after
 * every outage. It sends nothing before telemetry was accepted, so a server that is starting again gets readings first.
 *
 *   waiting ── telemetry accepted ─▶ registering ── confirmed ─▶ listening ── outage ─▶ waiting
 *                   ▲                    └── failed ─▶ back-off ──┘  └── ended by the server ─▶ registering
 *                   └────────────────────────────────────┘
 */

import { runUntilFirst } from '../async/tasks.ts';
import { logEvent } from '../events/catalogue.ts';
import { countFailure, type FailureCounts, type Schedule, waitBeforeMs } from '../failures/backoff.ts';
import type { Failure, Result } from '../failures/failure.ts';
import { aborted } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { Downlink, DownlinkListener, Subscriptions } from '../ports/downlink.ts';
import type { Logger } from '../ports/log.ts';
import type { Random } from '../ports/random.ts';
import type { Connection } from './connection.ts';
import type { DownlinkStatus } from './downlink-status.ts';

export interface DownlinkPorts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly random: Pick<Random, 'uniform'>;
  readonly log: Logger;
  readonly transport: Pick<Downlink, 'listen'>;
  readonly connection: Connection;
  readonly listener: Pick<DownlinkListener, 'onAttributes' | 'onCommand'>;
  readonly status: DownlinkStatus;
  /** Reports that the loop is alive (core/health): its activity must end, or be reported again, within `ms`. */
  readonly heartbeat: { expectWithin(activity: string, ms: number): void };
}

/**
 * Longest time without a confirmed registration while listening: well above that in which the transports promise it (Downlink.listen)
 * and the duration of one request, ms.
 */
export const LISTENING_MS_MAX = { withCommands: 15 * 60_000, attributesOnly: 45 * 60_000 };
/** Maximum delay of a timer on a host that swaps, ms. */
const TIMER_SLACK_MS = 60_000;

/** The caps keep every gap below five minutes, whatever failed. */
const RETRY: Schedule = { baseMs: 5_000, capMs: 4 * 60_000 };
/** Listening for this long resets the failure counts, ms. */
const HEALTHY_MS = 5 * 60_000;
/** Failures in a row before the one log line. */
const LOG_AFTER_FAILURES = 3;

/** Resolves when the signal aborts. */
export async function runDownlink(
  ports: DownlinkPorts,
  subscriptions: Subscriptions,
  signal: AbortSignal,
): Promise<void> {
  const { clock, random, connection, status, heartbeat } = ports;
  const listeningMsMax = subscriptions.commands
    ? LISTENING_MS_MAX.withCommands
    : LISTENING_MS_MAX.attributesOnly;
  const pause = async (ms: number): Promise<void> => {
    heartbeat.expectWithin('waiting to listen to the server', ms + TIMER_SLACK_MS);
    await clock.sleep(ms, signal);
  };
  const failureLog = new FailureLog(ports.log);
  let failureCounts: FailureCounts = {};
  for (;;) {
    status.onWaiting();
    // The session has a deadline of its own.
    heartbeat.expectWithin('waiting for accepted telemetry', Number.POSITIVE_INFINITY);
    const token = await connection.connected(signal);
    if (token === undefined) return;
    let registeredAtMs: number | undefined;
    heartbeat.expectWithin(LISTENING, listeningMsMax);
    const onRegistered = () => {
      heartbeat.expectWithin(LISTENING, listeningMsMax);
      registeredAtMs ??= clock.monotonicMs();
      failureLog.onRegistered();
    };
    const result = await listenWhileConnected(ports, token, subscriptions, onRegistered, signal);
    if (signal.aborted) return;
    if (registeredAtMs !== undefined && clock.monotonicMs() - registeredAtMs >= HEALTHY_MS)
      failureCounts = {};
    if (result.ok || result.failure.reason === 'aborted') {
      // Neither a flapping session nor a server that ends each subscription may cause a stream of registrations.
      await pause(waitBeforeMs(RETRY, 1, random.uniform()));
      continue;
    }
    const { failure } = result;
    failureCounts = countFailure(failureCounts, failure.reason);
    const forMs = Math.min(
      RETRY.capMs,
      (failure.retryAfterMs ?? 0) + waitBeforeMs(RETRY, failureCounts[failure.reason] ?? 1, random.uniform()),
    );
    status.onFailed(failure);
    failureLog.onFailed(failure, forMs);
    await pause(forMs);
  }
}

const LISTENING = 'listening to the server';

/** Ends with the result of the subscription, or as `aborted` when the session no longer delivers with the token. */
async function listenWhileConnected(
  { transport, connection, listener, status }: DownlinkPorts,
  token: Secret,
  subscriptions: Subscriptions,
  onRegistered: () => void,
  signal: AbortSignal,
): Promise<Result<void>> {
  let result: Result<void> = aborted();
  // A subscription that was left behind must not speak for the next one.
  const unlessAborted =
    <T extends readonly unknown[]>(handle: (...what: T) => void) =>
    (...what: T): void => {
      if (!signal.aborted) handle(...what);
    };
  const heard: DownlinkListener = {
    onRegistered: unlessAborted(() => {
      status.onRegistered();
      onRegistered();
    }),
    onAttributes: unlessAborted((update) => {
      status.onHeard();
      listener.onAttributes(update);
    }),
    onCommand: unlessAborted((command) => {
      status.onHeard();
      listener.onCommand(command);
    }),
  };
  const listen = async (stop: AbortSignal): Promise<void> => {
    result = await transport.listen(token, subscriptions, heard, stop);
  };
  await runUntilFirst([listen, (stop) => connection.ended(token, stop)], signal);
  return result;
}

/** One line when registering keeps failing, and one when it works again. */
class FailureLog {
  readonly #log: Logger;
  #failures = 0;

  constructor(log: Logger) {
    this.#log = log;
  }

  onRegistered(): void {
    if (this.#failures >= LOG_AFTER_FAILURES) logEvent(this.#log, 'FL-DOWNLINK-RESTORED');
    this.#failures = 0;
  }

  onFailed({ reason, detail }: Failure, retryInMs: number): void {
    this.#failures += 1;
    const fields = { reason, detail, retryInS: Math.ceil(retryInMs / 1000) };
    if (this.#failures === LOG_AFTER_FAILURES) logEvent(this.#log, 'FL-DOWNLINK-FAILED', fields);
    else this.#log.debug('the server does not accept the subscription', fields);
  }
}
