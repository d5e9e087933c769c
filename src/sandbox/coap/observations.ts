/**
 * At most one attribute and one RPC observation per device (contract section 5). A registration from another
 * peer or with another token ends the old one with 2.02; from the same peer with the same token it restarts
 * the counter. A token carries one observation per peer, so a registration of another feature with it drops
 * the previous one. Beyond `observationsMax` the oldest is dropped without notice, as on the real server.
 */

import type { DeviceHandle, DeviceListener, SandboxCore } from '../core/model/types.ts';
import { type CoapRequest, type CoapResponse, type Peer, peerKey } from './message.ts';
import { Observation } from './observation.ts';
import type { ResponseKind, ServerContext } from './reply.ts';
import type { DeliveryOutcome } from './transmissions.ts';

export type ObservedFeature = 'attributes' | 'rpc';

/** A request without a response so far. */
export interface PendingRequest {
  readonly request: CoapRequest;
  /** Acknowledges at once instead of after 500 ms. */
  acknowledge(): void;
  answer(response: CoapResponse, kind: ResponseKind, onOutcome?: (outcome: DeliveryOutcome) => void): void;
}

export type ApplyBlockSize = (request: CoapRequest, response: CoapResponse) => CoapResponse;

interface Entry {
  readonly deviceKey: string;
  readonly tokenKey: string;
  readonly observation: Observation;
  readonly unsubscribe: () => void;
}

export class Observations {
  readonly #core: SandboxCore;
  readonly #context: ServerContext;
  readonly #applyBlockSize: ApplyBlockSize;
  readonly #byDevice = new Map<string, Entry>();
  readonly #byToken = new Map<string, Entry>();
  #stopped = false;

  constructor(core: SandboxCore, context: ServerContext, applyBlockSize: ApplyBlockSize) {
    this.#core = core;
    this.#context = context;
    this.#applyBlockSize = applyBlockSize;
  }

  /** Responds to the registration with `first` and starts the observation. */
  register(
    feature: ObservedFeature,
    device: DeviceHandle,
    pending: PendingRequest,
    first: CoapResponse,
    kind: ResponseKind,
  ): void {
    if (this.#stopped) return;
    const { request } = pending;
    const deviceKey = observationKey(device, feature);
    const tokenKey = tokenKeyOf(request);
    this.#removeConflicting(deviceKey, tokenKey);
    const observation: Observation = new Observation(request, this.#context, {
      onReset: () => this.#remove(observation),
      onTimeout: () => this.#removePeer(request.peer, observation),
      onRpcDelivered: (id, delivered) => this.#core.rpcDelivered(device, id, delivered),
      applyBlockSize: (response) => this.#applyBlockSize(request, response),
    });
    // Respond first, because `subscribe` pushes pending RPCs.
    observation.sendFirstResponse((onOutcome) => pending.answer(first, kind, onOutcome));
    const unsubscribe = this.#core.subscribe(device, {
      ...createListener(feature, observation),
      ended: () => this.#end(observation),
    });
    const entry: Entry = { deviceKey, tokenKey, observation, unsubscribe };
    this.#byDevice.set(deviceKey, entry);
    this.#byToken.set(tokenKey, entry);
  }

  /** Observe 1: only the registering token cancels; any other has no effect. */
  cancel(feature: ObservedFeature, device: DeviceHandle, request: CoapRequest): void {
    const entry = this.#byDevice.get(observationKey(device, feature));
    if (entry?.tokenKey === tokenKeyOf(request)) this.#remove(entry.observation);
  }

  /** Unsubscribes without notice to the peers: the server restarts or closes. */
  stop(): void {
    this.#stopped = true;
    for (const { unsubscribe } of this.#byDevice.values()) unsubscribe();
    this.#byDevice.clear();
    this.#byToken.clear();
  }

  #removeConflicting(deviceKey: string, tokenKey: string): void {
    const previous = this.#byDevice.get(deviceKey);
    if (previous !== undefined && previous.tokenKey !== tokenKey) this.#end(previous.observation);
    const sameToken = this.#byToken.get(tokenKey);
    if (sameToken !== undefined) this.#remove(sameToken.observation);
    const [oldest] = this.#byDevice.values();
    if (oldest !== undefined && this.#byDevice.size >= this.#context.settings.observationsMax) {
      this.#remove(oldest.observation);
    }
  }

  #end(observation: Observation): void {
    this.#unregister(observation);
    observation.close();
  }

  #remove(observation: Observation): void {
    this.#unregister(observation);
    observation.drop();
  }

  #removePeer(peer: Peer, observation: Observation): void {
    this.#remove(observation);
    for (const entry of [...this.#byDevice.values()]) {
      if (peerKey(entry.observation.request.peer) === peerKey(peer)) this.#remove(entry.observation);
    }
  }

  #unregister(observation: Observation): void {
    const entry = this.#byToken.get(tokenKeyOf(observation.request));
    // Another observation may have replaced a closing one under the same token.
    if (entry === undefined || entry.observation !== observation) return;
    this.#byToken.delete(entry.tokenKey);
    this.#byDevice.delete(entry.deviceKey);
    entry.unsubscribe();
  }
}

function createListener(feature: ObservedFeature, observation: Observation): DeviceListener {
  switch (feature) {
    case 'attributes':
      return { sharedAttributes: (json) => observation.notify(json) };
    case 'rpc':
      return { rpc: ({ id, json }) => observation.pushCommand(id, json) };
  }
}

function observationKey(device: DeviceHandle, feature: ObservedFeature): string {
  return `${device.id} ${feature}`;
}

function tokenKeyOf({ peer, token }: CoapRequest): string {
  return `${peerKey(peer)} ${token.toString('hex')}`;
}
