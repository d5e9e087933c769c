/**
 * Holds the current configuration and reads it again at every reload (SIGHUP, `systemctl reload`) and when the server has changed
 * its settings.
 *
 * An invalid configuration is logged with all its problems and changes nothing. A change of the log alone applies at once, without
 * a new agent instance. systemd is notified when a reload starts; the new agent instance notifies it when the reload is complete.
 */

import { changedTables, type Table } from '../config/differences.ts';
import { ConfigError } from '../config/errors/problem.ts';
import type { LoadedConfig } from '../config/load.ts';
import { ChildAbortController } from '../core/async/abort.ts';
import type { AsyncSignal } from '../core/async/async-signal.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Logger } from '../core/ports/log.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import type { HostLogger } from '../host/log/logger.ts';
import type { RemoteSettings } from './remote/remote-settings.ts';
import type { StartupError } from './startup-error.ts';

export interface ConfigReloaderPorts {
  readonly remote: Pick<RemoteSettings, 'changed' | 'load' | 'onReverted'>;
  readonly reload: AsyncSignal;
  readonly log: Logger & Pick<HostLogger, 'configure'>;
  readonly service: ServiceManager | undefined;
}

/** A change in these tables needs a new outbox, because they determine its limits and its timestamps. */
const OUTBOX_TABLES: readonly Table[] = ['outbox', 'clock'];

export class ConfigReloader {
  readonly #ports: ConfigReloaderPorts;
  #current: LoadedConfig;
  #previous: LoadedConfig | undefined;
  /** The last versions of `reload` and `remote.changed` that were handled. */
  #reloads = 0;
  #remoteChanges = 0;

  constructor(first: LoadedConfig, ports: ConfigReloaderPorts) {
    this.#current = first;
    this.#ports = ports;
  }

  get current(): LoadedConfig {
    return this.#current;
  }

  /** Resolves when `current` has changed and needs a new agent instance, or when the signal aborts. */
  async waitForChange(signal: AbortSignal): Promise<void> {
    const { reload, remote, service } = this.#ports;
    for (;;) {
      await this.#waitForCause(signal);
      if (signal.aborted) return;
      const cause = reload.version === this.#reloads ? 'remote' : 'local';
      this.#reloads = reload.version;
      this.#remoteChanges = remote.changed.version;
      if (cause === 'local') service?.reloading();
      if (this.#reload(cause)) return;
      if (cause === 'local') service?.ready();
    }
  }

  async #waitForCause(signal: AbortSignal): Promise<void> {
    const { reload, remote } = this.#ports;
    using over = new ChildAbortController(signal);
    await Promise.race([
      reload.wait(over.signal, this.#reloads),
      remote.changed.wait(over.signal, this.#remoteChanges),
    ]);
    over.abort();
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
    this.#ports.remote.onReverted(this.#current);
    return true;
  }

  /** Whether the new configuration needs a new agent instance. */
  #reload(cause: 'local' | 'remote'): boolean {
    const { remote, log } = this.#ports;
    let next: LoadedConfig;
    try {
      next = remote.load(cause);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      for (const { sentence } of error.problems) logEvent(log, 'FL-CONFIG-INVALID', {}, sentence);
      logEvent(log, 'FL-CONFIG-RELOAD-REJECTED', {
        problems: error.problems.length,
      });
      return false;
    }
    const changes = changedTables(this.#current.config, next.config);
    const logged = cause === 'local' ? [] : this.#current.warnings;
    for (const warning of next.warnings)
      if (!logged.includes(warning)) logEvent(log, 'FL-CONFIG-WARNING', {}, warning);
    if (changes.length === 0) {
      if (cause === 'local') logEvent(log, 'FL-CONFIG-UNCHANGED');
      return false;
    }
    logEvent(log, 'FL-CONFIG-CHANGED', { changed: changes.join(',') });
    const isLogOnly = changes.every((table) => table === 'log');
    if (isLogOnly) log.configure(next.config.log);
    else this.#previous = this.#current;
    this.#current = next;
    return !isLogOnly;
  }
}
