/** Writes the server's settings when they have changed, and never twice the same, because each write wears out the flash. */

import type { LoadedConfig } from '../../config/load.ts';
import { settings } from '../../config/schema/settings.ts';
import { raceAbort } from '../../core/async/abort.ts';
import type { AsyncSignal } from '../../core/async/async-signal.ts';
import {
  type SettingsState,
  type StoredSettings,
  settingsToStore,
} from '../../core/downlink/settings-trial.ts';
import type { SettingsRecord } from '../../core/downlink/stored-settings.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { StoreError } from '../../credentials/store-error.ts';
import {
  encodeRecord,
  localUrls,
  type RemoteSettingsFile,
  type StoredRemoteSettings,
} from './settings-file.ts';

export interface SettingsWriterPorts {
  readonly file: RemoteSettingsFile;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly log: Logger;
  /** Binds the stored credentials to the URLs in use too, at which the server has accepted the token. Never rejects. */
  readonly bindCredentials: (loaded: LoadedConfig) => Promise<void>;
}

const SERVER_URL = settings.serverUrl.key;
/** Interval of the attempts to write a file that cannot be written, ms. */
const RETRY_MS = 10 * 60_000;

export class SettingsWriter {
  readonly #stored: StoredRemoteSettings;
  readonly #ports: SettingsWriterPorts;
  readonly #isServerDropped: boolean;
  /** What the file contains; if it is not used, what it would contain without settings. */
  #written: string;
  #writtenSettings: StoredSettings;
  #retryAtMs = Number.POSITIVE_INFINITY;
  #localUrls: readonly string[] | undefined;
  #isBindingDue = false;

  /** `record`: what counts of `stored`. */
  constructor(stored: StoredRemoteSettings, record: SettingsRecord, ports: SettingsWriterPorts) {
    this.#stored = stored;
    this.#ports = ports;
    this.#isServerDropped = stored.record.confirmed.has(SERVER_URL) && !record.confirmed.has(SERVER_URL);
    this.#written = encodeRecord(stored.record);
    this.#writtenSettings = stored.record;
    this.#localUrls = record.localUrls;
  }

  /** Writes after each change until the signal aborts, also if the disk hangs. The caller holds the lock of the directory. */
  async run(
    changes: AsyncSignal,
    current: () => { readonly settings: SettingsState; readonly loaded: LoadedConfig },
    signal: AbortSignal,
  ): Promise<void> {
    await raceAbort(this.#tidy(), undefined, signal);
    while (!signal.aborted) {
      const { version } = changes;
      const { settings: state, loaded } = current();
      await raceAbort(this.#write(state, loaded), undefined, signal);
      await changes.waitUntil(this.#retryAtMs, this.#ports.clock, signal, version);
    }
  }

  /** Reports and sets aside a file that cannot be used. */
  async #tidy(): Promise<void> {
    const { file, log } = this.#ports;
    const { problem, isDamaged = false } = this.#stored;
    const archivedAs = await file.tidy(isDamaged);
    if (problem !== undefined)
      logEvent(log, isDamaged ? 'FL-REMOTE-SETTINGS-DAMAGED' : 'FL-REMOTE-SETTINGS-IGNORED', {
        problem,
        archivedAs,
      });
    if (this.#isServerDropped) logEvent(log, 'FL-REMOTE-SERVER-URL-DROPPED');
  }

  /** Server.url of the server was confirmed, in place of that of the gateway. */
  bindServer(loaded: LoadedConfig): void {
    this.#localUrls = localUrls(loaded);
    this.#isBindingDue = true;
  }

  /**
   * Resolves when the settings are durable, or the failure is logged. The credentials are bound first: after a power cut in between,
   * they are valid for both servers, and the old one is in use.
   */
  async #write(current: SettingsState, loaded: LoadedConfig): Promise<void> {
    const { file, clock, log, bindCredentials } = this.#ports;
    const toStore = settingsToStore(current, this.#writtenSettings);
    const text = this.#encode(toStore);
    const hasFailed = this.#retryAtMs < Number.POSITIVE_INFINITY;
    if (text === this.#written) this.#retryAtMs = Number.POSITIVE_INFINITY;
    if (text === this.#written || (hasFailed && clock.monotonicMs() < this.#retryAtMs)) return;
    if (this.#isBindingDue) await bindCredentials(loaded);
    this.#isBindingDue = false;
    try {
      await file.write(text);
      this.#written = text;
      this.#writtenSettings = toStore;
      this.#retryAtMs = Number.POSITIVE_INFINITY;
      if (hasFailed) logEvent(log, 'FL-REMOTE-SETTINGS-WRITE-RESTORED');
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      if (!hasFailed) logEvent(log, 'FL-REMOTE-SETTINGS-WRITE-FAILED', { detail: error.message });
      this.#retryAtMs = clock.monotonicMs() + RETRY_MS;
    }
  }

  #encode({ confirmed, rejected }: StoredSettings): string {
    const { board } = this.#stored.record;
    const urls = confirmed.has(SERVER_URL) && this.#localUrls && { localUrls: this.#localUrls };
    return encodeRecord({ confirmed, rejected, board, ...urls });
  }
}
