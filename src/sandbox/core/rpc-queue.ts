/**
 * Server-side RPC (contract section 6): IDs, delivery, replies and timeouts.
 *
 *     send ──▶ pending ──pushed──▶ one-way: done
 *                 ▲                two-way: waiting for the reply ──▶ done
 *                 └─── the next subscription ──┘
 *
 * IDs start at 0 per device, in memory only, so they repeat after a restart (trap 15). A one-way RPC is done
 * when it is pushed: one that is lost on its way is not sent again. A two-way RPC without a reply is pushed
 * again at every new subscription, even if the device has acknowledged it, until its timeout or until five
 * deliveries failed. So a device that polls before it replies gets the same RPC again.
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
  /** One-way, and pushed to the device. */
  | { readonly status: 'sent'; readonly id: number }
  | { readonly status: 'replied'; readonly id: number; readonly reply: string }
  /** Pushed, but no reply in time. */
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
      failures: 0,
      close: (result) => {
        outcome ??= result;
        this.#open.get(deviceId)?.delete(id);
        endWait.abort();
      },
    };
    const open = this.#open.get(deviceId) ?? new Map<number, OpenRpc>();
    this.#open.set(deviceId, open.set(id, rpc));
    if (push(rpc.command)) markSent(rpc);
    await this.#clock.sleep(request.timeoutMs, endWait.signal);
    rpc.close({ status: rpc.sent ? 'timeout' : 'no-subscription', id });
    return outcome ?? { status: 'failed', id };
  }

  /** The pending RPCs for a new subscriber, oldest first, at most `max`; they count as pushed. */
  takePending(deviceId: string, max: number): readonly RpcCommand[] {
    const pending = [...(this.#open.get(deviceId)?.values() ?? [])].slice(0, max);
    for (const rpc of pending) markSent(rpc);
    return pending.map((rpc) => rpc.command);
  }

  delivered(deviceId: string, id: number, isDelivered: boolean): void {
    const rpc = this.#open.get(deviceId)?.get(id);
    if (rpc === undefined || isDelivered) return;
    rpc.failures += 1;
    if (rpc.failures >= DELIVERY_FAILURES_MAX) rpc.close({ status: 'failed', id });
  }

  /** A reply to an unknown or stale ID is ignored. */
  replied(deviceId: string, id: number, reply: string): void {
    const rpc = this.#open.get(deviceId)?.get(id);
    rpc?.close({ status: 'replied', id, reply });
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

function markSent(rpc: OpenRpc): void {
  rpc.sent = true;
  if (rpc.oneWay) rpc.close({ status: 'sent', id: rpc.command.id });
}
