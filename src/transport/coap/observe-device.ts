/**
 * Listens to the server by observing the attributes and the commands of the device, on the socket of the
 * connection: on every new socket again. The server forgets observations without notice when it restarts, and a
 * NAT the port; therefore each one is registered again at intervals.
 */

import { AsyncSignal } from '../../core/async/async-signal.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Failure, Result } from '../../core/failures/failure.ts';
import { aborted } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { DownlinkListener, Subscriptions } from '../../core/ports/downlink.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { Random } from '../../core/ports/random.ts';
import { parseAllAttributes, parseAttributeNotification, parseCommand } from '../downlink-messages.ts';
import { MessageBudget } from '../message-budget.ts';
import type { CoapClient } from './client.ts';
import type { ExchangeSettings } from './confirmable-exchange.ts';
import type { CoapConnection } from './connection.ts';
import type { ResponseMessage } from './datagram.ts';
import { Observation, type ObservedResource } from './observation.ts';

/** How often observations are registered again. */
export interface RenewalIntervals {
  /** Commands must arrive again within five minutes, ms. */
  readonly commandsMs: number;
  /** Between these, ms: the more bytes of attributes, the longer. */
  readonly attributesMsMin: number;
  readonly attributesMsMax: number;
  /** Between two registrations because of gaps, ms: bounds the requests that a server can cause. */
  readonly pauseMs: number;
}

export interface ObservePorts {
  readonly connection: CoapConnection;
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  readonly log: Logger;
  readonly renewals: RenewalIntervals;
  /** Reports the failure of a registration. */
  readonly reportFailure: (failure: Failure) => void;
  readonly settingsFor: (client: CoapClient) => Omit<ExchangeSettings, 'token'>;
  readonly fetchBody: (
    client: CoapClient,
    path: readonly string[],
    first: ResponseMessage,
    signal: AbortSignal,
  ) => Promise<Result<Buffer>>;
}

/**
 * Measured in UDP payload with a token of 24 characters: 1,005 bytes an hour for the commands. The attributes
 * add at most 800 bytes an hour up to about 330 bytes of attributes; larger ones are registered every 30 minutes.
 */
export const RENEWAL_INTERVALS: RenewalIntervals = {
  commandsMs: 4 * 60_000,
  attributesMsMin: 4 * 60_000,
  attributesMsMax: 30 * 60_000,
  pauseMs: 5_000,
};
const ATTRIBUTES_MS_PER_BYTE = 3_600_000 / 800;
/** Of a registration of attributes beside the attributes themselves, in UDP payload. */
const REGISTRATION_BYTES = 75;

/** Port `Downlink.listen`. `path`: of the device. */
export async function observeDevice(
  path: readonly string[],
  subscriptions: Subscriptions,
  listener: DownlinkListener,
  ports: ObservePorts,
  signal: AbortSignal,
): Promise<Result<void>> {
  let isLimitLogged = false;
  const budget = new MessageBudget(ports.clock, () => {
    if (!isLimitLogged) logEvent(ports.log, 'FL-DOWNLINK-LIMITED');
    isLimitLogged = true;
  });
  for (;;) {
    const client = await ports.connection.client(signal);
    if (!client.ok) return client;
    using observations = new DeviceObservations(client.value, path, subscriptions, listener, budget, ports);
    const end = await observations.run(signal);
    if (end !== 'socket-replaced') return end;
  }
}

/** The observations on one socket. */
class DeviceObservations implements Disposable {
  readonly #client: CoapClient;
  readonly #listener: DownlinkListener;
  readonly #ports: ObservePorts;
  readonly #observations: readonly Observation[];
  readonly #changes = new AsyncSignal();
  readonly #closed = new AbortController();

  constructor(
    client: CoapClient,
    devicePath: readonly string[],
    subscriptions: Subscriptions,
    listener: DownlinkListener,
    budget: MessageBudget,
    ports: ObservePorts,
  ) {
    this.#client = client;
    this.#listener = listener;
    this.#ports = ports;
    const resources: ObservedResource[] = [];
    // Settings before commands.
    if (subscriptions.attributes) resources.push('attributes');
    if (subscriptions.commands) resources.push('rpc');
    this.#observations = resources.map(
      (resource) =>
        new Observation(resource, devicePath, {
          layer: client.messageLayer,
          clock: ports.clock,
          budget,
          pauseMs: ports.renewals.pauseMs,
          fetchBody: (path, first) => ports.fetchBody(client, path, first, this.#closed.signal),
          onNotification: (body) =>
            resource === 'attributes' ? this.#onAttributes(body) : this.#onCommand(body),
          onChange: () => this.#changes.notify(),
        }),
    );
  }

  async run(signal: AbortSignal): Promise<Result<void> | 'socket-replaced'> {
    const { clock, connection } = this.#ports;
    const { messageLayer } = this.#client;
    for (;;) {
      const seen = this.#changes.version;
      const ended = this.#observations.find(({ end }) => end)?.end;
      if (ended) return ended;
      if (signal.aborted) return aborted();
      if (messageLayer.isClosed) return 'socket-replaced';
      const next = this.#observations.reduce((one, other) => (other.dueMs < one.dueMs ? other : one));
      const waitMs = next.dueMs - clock.monotonicMs();
      if (waitMs > 0) {
        await this.#changes.waitUpTo(waitMs, clock, signal, seen);
        continue;
      }
      // Notices new addresses of this host, and then replaces the socket.
      const client = await connection.client(signal);
      if (!client.ok) return client;
      if (client.value !== this.#client) return 'socket-replaced';
      const registered = await this.#register(next, signal);
      if (next.end || (messageLayer.isClosed && !signal.aborted)) continue;
      if (registered.ok) continue;
      this.#ports.reportFailure(registered.failure);
      return registered;
    }
  }

  [Symbol.dispose](): void {
    this.#closed.abort();
    for (const observation of this.#observations) observation.cancel();
  }

  async #register(observation: Observation, signal: AbortSignal): Promise<Result<void>> {
    const { random, renewals, settingsFor } = this.#ports;
    const isRenewal = observation.isRegistered;
    const first = await observation.register(settingsFor(this.#client), signal);
    if (!first.ok) return first;
    let intervalMs = renewals.commandsMs;
    if (observation.resource === 'attributes') {
      const update = parseAllAttributes(first.value);
      if (!update) {
        const detail = 'the response to the attribute observation is not a JSON object';
        return { ok: false, failure: { reason: 'unexpected-response', detail } };
      }
      this.#listener.onAttributes(update);
      const bytes = REGISTRATION_BYTES + Buffer.byteLength(first.value);
      const wantedMs = Math.max(renewals.attributesMsMin, bytes * ATTRIBUTES_MS_PER_BYTE);
      intervalMs = Math.min(wantedMs, renewals.attributesMsMax);
    }
    // The first interval is shorter, so that a fleet which starts together does not renew together.
    observation.renewAfter(isRenewal ? intervalMs : intervalMs * (0.5 + random.uniform() / 2));
    if (this.#observations.every(({ isRegistered }) => isRegistered)) this.#listener.onRegistered();
    return { ok: true, value: undefined };
  }

  #onAttributes(body: string): boolean {
    const updates = parseAttributeNotification(body);
    for (const update of updates ?? []) this.#listener.onAttributes(update);
    return updates !== undefined;
  }

  #onCommand(body: string): boolean {
    const command = parseCommand(body);
    if (command) this.#listener.onCommand(command);
    return command !== undefined;
  }
}
