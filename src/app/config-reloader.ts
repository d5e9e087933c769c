/**
 * The configuration that counts, and how it becomes another one: read again at every reload (SIGHUP, `systemctl reload`).
 *
 * One with problems is told with all of them and changes nothing; neither does one that says the same. The service manager
 * hears that a reload began, and, by whoever takes the new one into use, that it is over.
 */

import { differingTables, type Table } from '../config/differences.ts';
import { ConfigError } from '../config/errors/problem.ts';
import type { Loaded } from '../config/load.ts';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { tell } from '../core/events/catalogue.ts';
import type { Logger } from '../core/ports/log.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import type { CannotStart } from './startup-error.ts';

export interface CurrentConfigPorts {
  readonly load: () => Loaded;
  readonly reload: AsyncSignal;
  readonly log: Logger;
  readonly service: ServiceManager | undefined;
}

/** What these say is built into the outbox and into the dates of its readings. */
const OF_THE_OUTBOX: readonly Table[] = ['outbox', 'clock'];

export class CurrentConfig {
  readonly #ports: CurrentConfigPorts;
  #now: Loaded;
  #before: Loaded | undefined;
  /** The version of `reload` that was acted on. */
  #reloads = 0;

  constructor(first: Loaded, ports: CurrentConfigPorts) {
    this.#now = first;
    this.#ports = ports;
  }

  get now(): Loaded {
    return this.#now;
  }

  /** Resolves when `now` is another one than at the call, or when the signal aborts. */
  async changed(signal: AbortSignal): Promise<void> {
    const { reload, service } = this.#ports;
    for (;;) {
      await reload.wait(signal, this.#reloads);
      if (signal.aborted) return;
      this.#reloads = reload.version;
      service?.reloading();
      if (this.#readAgain()) return;
      service?.ready();
    }
  }

  /** Whether an outbox that was opened for `then` does for the present one too. */
  keepsOutboxOf(then: Loaded): boolean {
    return !differingTables(then.config, this.#now.config).some((table) => OF_THE_OUTBOX.includes(table));
  }

  /** The present one cannot work on this host: back to the one before it, if there is one. */
  goBack(why: CannotStart): boolean {
    if (this.#before === undefined) return false;
    tell(this.#ports.log, 'FL-CONFIG-UNWORKABLE', {
      why: why.message,
    });
    this.#now = this.#before;
    this.#before = undefined;
    return true;
  }

  #readAgain(): boolean {
    const { load, log } = this.#ports;
    let next: Loaded;
    try {
      next = load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const { sentence } of error.problems) tell(log, 'FL-CONFIG-INVALID', {}, sentence);
      tell(log, 'FL-CONFIG-REFUSED', {
        problems: error.problems.length,
      });
      return false;
    }
    const changed = differingTables(this.#now.config, next.config);
    for (const warning of next.warnings) tell(log, 'FL-CONFIG-WARNING', {}, warning);
    if (changed.length === 0) {
      tell(log, 'FL-CONFIG-SAME');
      return false;
    }
    tell(log, 'FL-CONFIG-CHANGED', { changed: changed.join(',') });
    this.#before = this.#now;
    this.#now = next;
    return true;
  }
}
