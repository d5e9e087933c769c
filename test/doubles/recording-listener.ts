/** A `DownlinkListener` that records what it hears, applies the updates of attributes, and lets a test wait. */

import type { AttributeUpdate, Command, DownlinkListener } from '../../src/core/ports/downlink.ts';

export class RecordingListener implements DownlinkListener {
  registrations = 0;
  readonly updates: AttributeUpdate[] = [];
  readonly commands: Command[] = [];
  /** The shared attributes after all updates. */
  attributes: Readonly<Record<string, unknown>> = {};
  readonly #waiting = new Set<() => void>();

  onRegistered(): void {
    this.registrations += 1;
    this.#wake();
  }

  onAttributes(update: AttributeUpdate): void {
    this.updates.push(update);
    if (update.is === 'all') this.attributes = update.values;
    else if (update.is === 'changed') this.attributes = { ...this.attributes, ...update.values };
    else
      this.attributes = Object.fromEntries(
        Object.entries(this.attributes).filter(([key]) => !update.keys.includes(key)),
      );
    this.#wake();
  }

  onCommand(command: Command): void {
    this.commands.push(command);
    this.#wake();
  }

  /** Resolves when the condition holds; the timeout of the test is the limit. */
  async until(isTrue: (listener: this) => boolean): Promise<void> {
    while (!isTrue(this)) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
