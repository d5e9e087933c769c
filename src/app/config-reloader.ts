/**
 * The configuration that counts, and how it becomes another one: read again at every reload (SIGHUP, `systemctl reload`).
 *
 * One with problems is told with all of them and changes nothing; neither does one that says the same. The service manager
 * hears that a reload began, and, by whoever takes the new one into use, that it is over.
 */

import { changedTables, type Table } from '../config/differences.ts';
import { ConfigError } from '../config/errors/problem.ts';
import type { LoadedConfig } from '../config/load.ts';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Logger } from '../core/ports/log.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import type { StartupError } from './startup-error.ts';

export interface ConfigReloaderPorts {
  readonly load: () => LoadedConfig;
  readonly reload: AsyncSignal;
  readonly log: Logger;
  readonly service: ServiceManager | undefined;
}

/** What these say is built into the outbox and into the dates of its readings. */
const OUTBOX_TABLES: readonly Table[] = ['outbox', 'clock'];

export class ConfigReloader {
  readonly #ports: ConfigReloaderPorts;
  #current: LoadedConfig;
  #previous: LoadedConfig | undefined;
  /** The version of `reload` that was acted on. */
  #reloads = 0;

  constructor(first: LoadedConfig, ports: ConfigReloaderPorts) {
    this.#current = first;
    this.#ports = ports;
  }

  get current(): LoadedConfig {
    return this.#current;
  }

  /** Resolves when `now` is another one than at the call, or when the signal aborts. */
  async waitForChange(signal: AbortSignal): Promise<void> {
    const { reload, service } = this.#ports;
    for (;;) {
      await reload.wait(signal, this.#reloads);
      if (signal.aborted) return;
      this.#reloads = reload.version;
      service?.reloading();
      if (this.#reload()) return;
      service?.ready();
    }
  }

  /** Whether an outbox that was opened for `then` does for the present one too. */
  canKeepOutbox(earlier: LoadedConfig): boolean {
    return !changedTables(earlier.config, this.#current.config).some((table) =>
      OUTBOX_TABLES.includes(table),
    );
  }

  /** The present one cannot work on this host: back to the one before it, if there is one. */
  revert(error: StartupError): boolean {
    if (this.#previous === undefined) return false;
    logEvent(this.#ports.log, 'FL-CONFIG-RELOAD-FAILED', {
      error: error.message,
    });
    this.#current = this.#previous;
    this.#previous = undefined;
    return true;
  }

  #reload(): boolean {
    const { load, log } = this.#ports;
    let next: LoadedConfig;
    try {
      next = load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const { sentence } of error.problems) logEvent(log, 'FL-CONFIG-INVALID', {}, sentence);
      logEvent(log, 'FL-CONFIG-RELOAD-REJECTED', {
        problems: error.problems.length,
      });
      return false;
    }
    const changes = changedTables(this.#current.config, next.config);
    for (const warning of next.warnings) logEvent(log, 'FL-CONFIG-WARNING', {}, warning);
    if (changes.length === 0) {
      logEvent(log, 'FL-CONFIG-UNCHANGED');
      return false;
    }
    logEvent(log, 'FL-CONFIG-CHANGED', { changed: changes.join(',') });
    this.#previous = this.#current;
    this.#current = next;
    return true;
  }
}
