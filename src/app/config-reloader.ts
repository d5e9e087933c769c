/**
 * Holds the current configuration and reads it again at every reload (SIGHUP, `systemctl reload`).
 *
 * An invalid configuration is logged with all its problems and changes nothing. systemd is notified when a reload starts; the
 * new agent instance notifies it when the reload is complete.
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

/** A change in these tables needs a new outbox, because they determine its limits and its timestamps. */
const OUTBOX_TABLES: readonly Table[] = ['outbox', 'clock'];

export class ConfigReloader {
  readonly #ports: ConfigReloaderPorts;
  #current: LoadedConfig;
  #previous: LoadedConfig | undefined;
  /** The last version of `reload` that was handled. */
  #reloads = 0;

  constructor(first: LoadedConfig, ports: ConfigReloaderPorts) {
    this.#current = first;
    this.#ports = ports;
  }

  get current(): LoadedConfig {
    return this.#current;
  }

  /** Resolves when `current` has changed, or when the signal aborts. */
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

  /** Whether an outbox that was opened for `earlier` also fits the current configuration. */
  canKeepOutbox(earlier: LoadedConfig): boolean {
    return !changedTables(earlier.config, this.#current.config).some((table) =>
      OUTBOX_TABLES.includes(table),
    );
  }

  /** Returns to the previous configuration, because the current one cannot work on this host. False if there is none. */
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
