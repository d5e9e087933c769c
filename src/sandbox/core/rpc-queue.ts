/**
 * Server-side RPC (contract section 6): IDs, delivery, replies and timeouts.
 *
 *     send ──▶ pending ──pushed──▶ sent ──delivered──▶ done (one-way) or waiting for the reply (two-way)
 *                 ▲                  │
 *                 └──not delivered───┘   at most five times
 *
 * IDs start at 0 per device, in memory only, so they repeat after a restart (trap 15). An RPC without a
 * confirmed delivery is pushed again at the next subscription, so it may arrive twice.
 */

import type { SandboxClock } from './clock.ts';
import type { RpcCommand } from './model/types.ts';

export interface RpcRequest {
  readonly method: string;
  /** JSON text; `null` if there are none. */
  readonly params: string;
  readonly oneWay: boolean;
  readonly timeoutMs: number;
}

export type RpcOutcome =
  | { readonly status: 'delivered'; readonly id: number }
  | { readonly status: 'replied'; readonly id: number; readonly reply: string }
  /** Pushed, but no delivery or no reply in time. */
  | { readonly status: 'timeout'; readonly id: number }
  /** No subscription in time. */
  | { readonly status: 'no-subscription'; readonly id: number }
  /** Not acknowledged after the last retry, or the device was deleted, or the server restarted. */
  | { readonly status: 'failed'; readonly id: number };

interface OpenRpc {
  readonly command: RpcCommand;
  readonly oneWay: boolean;
  readonly close: (outcome: RpcOutcome) => void;
  sent: boolean;
  delivered: boolean;
  failures: number;
}

/** The server's ACTORS_RPC_MAX_RETRIES. */
const DELIVERY_FAILURES_MAX = 5;

export class RpcQueue {
  readonly #clock: SandboxClock;
  readonly #nextId = new Map<string, number>();
  readonly #open = new Map<string, Map<number, OpenRpc>>();

  constructor(clock: SandboxClock) {
    this.#clock = clock;
  }

  /** Assigns an ID and calls `push`, which returns whether there was a listener. */
  async send(
    deviceId: string,
    request: RpcRequest,
    push: (command: RpcCommand) => boolean,
  ): Promise<RpcOutcome> {
    const id = this.#nextId.get(deviceId) ?? 0;
    this.#nextId.set(deviceId, id + 1);
    const json = `{"id":${id},"method":${JSON.stringify(request.method)},"params":${request.params}}`;
    const endWait = new AbortController();
    let outcome: RpcOutcome | undefined;
    const rpc: OpenRpc = {
      command: { id, json },
      oneWay: request.oneWay,
      sent: false,
      delivered: false,
      failures: 0,
      close: (result) => {
        outcome ??= result;
        this.#open.get(deviceId)?.delete(id);
        endWait.abort();
      },
    };
    const open = this.#open.get(deviceId) ?? new Map<number, OpenRpc>();
    this.#open.set(deviceId, open.set(id, rpc));
    // A listener may report the delivery during `push` and set `sent` there.
    rpc.sent = push(rpc.command) || rpc.sent;
    await this.#clock.sleep(request.timeoutMs, endWait.signal);
    rpc.close({ status: rpc.sent ? 'timeout' : 'no-subscription', id });
    return outcome ?? { status: 'failed', id };
  }

  /** The undelivered RPCs for a new subscriber, oldest first; they count as pushed. */
  takePending(deviceId: string): readonly RpcCommand[] {
    const pending = [...(this.#open.get(deviceId)?.values() ?? [])].filter((rpc) => !rpc.delivered);
    for (const rpc of pending) rpc.sent = true;
    return pending.map((rpc) => rpc.command);
  }

  delivered(deviceId: string, id: number, isDelivered: boolean): void {
    const rpc = this.#open.get(deviceId)?.get(id);
    if (rpc === undefined || rpc.delivered) return;
    if (!isDelivered) {
      rpc.failures += 1;
      if (rpc.failures >= DELIVERY_FAILURES_MAX) rpc.close({ status: 'failed', id });
      return;
    }
    rpc.sent = true;
    rpc.delivered = true;
    if (rpc.oneWay) rpc.close({ status: 'delivered', id });
  }

  /** A reply to an unknown, stale or one-way ID is ignored. */
  replied(deviceId: string, id: number, reply: string): void {
    const rpc = this.#open.get(deviceId)?.get(id);
    if (rpc !== undefined && !rpc.oneWay) rpc.close({ status: 'replied', id, reply });
  }

  /** The device was deleted. */
  forget(deviceId: string): void {
    this.#fail(deviceId);
    this.#nextId.delete(deviceId);
  }

  /** A restart: open RPCs are lost and IDs start at 0 again. */
  restart(): void {
    for (const deviceId of [...this.#open.keys()]) this.#fail(deviceId);
    this.#nextId.clear();
  }

  #fail(deviceId: string): void {
    for (const [id, rpc] of this.#open.get(deviceId) ?? []) rpc.close({ status: 'failed', id });
    this.#open.delete(deviceId);
  }
}
