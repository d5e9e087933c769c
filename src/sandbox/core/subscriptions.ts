/**
 * The listeners of each device: observations over CoAP, long polls over HTTP. Notification is synchronous, in
 * order of subscription; a listener may unsubscribe during it.
 */

import type { DeviceListener, EndReason, RpcCommand } from './model/types.ts';

export class Subscriptions {
  readonly #byDevice = new Map<string, Set<DeviceListener>>();

  add(deviceId: string, listener: DeviceListener): () => void {
    const listeners = this.#byDevice.get(deviceId) ?? new Set();
    this.#byDevice.set(deviceId, listeners.add(listener));
    return () => this.#remove(deviceId, listener);
  }

  notifySharedAttributes(deviceId: string, json: string): void {
    for (const listener of this.#listenersOf(deviceId)) listener.sharedAttributes?.(json);
  }

  /** True if there was a listener. Removes a listener that takes one RPC. */
  notifyRpc(deviceId: string, command: RpcCommand): boolean {
    let isNotified = false;
    for (const listener of this.#listenersOf(deviceId)) {
      if (listener.rpc === undefined) continue;
      if (listener.takesOneRpc === true) this.#remove(deviceId, listener);
      listener.rpc(command);
      isNotified = true;
    }
    return isNotified;
  }

  /** The device was deleted or its token revoked: notifies and removes all listeners. */
  end(deviceId: string, reason: EndReason): void {
    const listeners = this.#listenersOf(deviceId);
    this.#byDevice.delete(deviceId);
    for (const listener of listeners) listener.ended?.(reason);
  }

  /** A restart: removes all listeners without notice (section 5). */
  forget(): void {
    this.#byDevice.clear();
  }

  count(deviceId: string): number {
    return this.#byDevice.get(deviceId)?.size ?? 0;
  }

  #remove(deviceId: string, listener: DeviceListener): void {
    const listeners = this.#byDevice.get(deviceId);
    listeners?.delete(listener);
    if (listeners?.size === 0) this.#byDevice.delete(deviceId);
  }

  #listenersOf(deviceId: string): readonly DeviceListener[] {
    return [...(this.#byDevice.get(deviceId) ?? [])];
  }
}
