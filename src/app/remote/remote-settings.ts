/**
 * The settings that the server makes by shared attributes: from the attributes to the configuration, the trial of each change
 * (core/downlink/settings-trial.ts), the file that outlives restarts, and the report to the server.
 *
 *   onAttributes ─▶ wanted ─▶ `changed` ─▶ config-reloader.ts calls `load` ─▶ on trial ─▶ onTelemetryAccepted ─▶ file
 *                                 ▲──────────────── taken back ◀── nothing accepted ──┘
 */

import { changedTables, type Table } from '../../config/differences.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { isEncrypted, type RemoteSource } from '../../config/remote-values.ts';
import { settings } from '../../config/schema/settings.ts';
import { keyOfAttribute, readSharedAttributes } from '../../config/shared-attributes.ts';
import { AsyncSignal } from '../../core/async/async-signal.ts';
import { runAll } from '../../core/async/tasks.ts';
import type { ChangingAttributes } from '../../core/delivery/attributes.ts';
import { createReport, type SettingsReport } from '../../core/downlink/settings-report.ts';
import {
  acceptTelemetry,
  applyWithoutTrial,
  type Changes,
  forget,
  initialState,
  nextChanges,
  nextStartMs,
  receive,
  reconsider,
  recordAttempt,
  type SettingsState,
  startTrial,
  takeBack,
  trialEndMs,
  valuesWith,
} from '../../core/downlink/settings-trial.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { AttributeUpdate } from '../../core/ports/downlink.ts';
import type { Logger } from '../../core/ports/log.ts';
import { type LoadedWithStored, localUrls, type StoredRemoteSettings } from './settings-file.ts';
import { formatChanges, SettingsProblems } from './settings-problems.ts';
import { SettingsWriter, type SettingsWriterPorts } from './settings-writer.ts';

export interface RemoteSettingsPorts extends SettingsWriterPorts {
  readonly clock: Clock;
  readonly log: Logger;
  /** Reads the configuration with these values of the server. Throws a ConfigError for a local problem. */
  readonly read: (remote: RemoteSource) => LoadedConfig;
}

const SERVER_URL = settings.serverUrl.key;
/** Tried after all others, so that only it is blamed. */
const TRIED_ALONE: ReadonlySet<string> = new Set([SERVER_URL]);
/** A change in these tables cannot stop telemetry. */
const HARMLESS_TABLES: readonly Table[] = ['log'];
const NO_CHANGES: Changes = new Map();
const SWITCHED_OFF = 'remote.settings is "off" on this gateway, so shared attributes do not count';

export class RemoteSettings {
  /** Notified when the configuration must be loaded again. */
  readonly changed = new AsyncSignal();
  readonly #ports: RemoteSettingsPorts;
  readonly #problems: SettingsProblems;
  readonly #writer: SettingsWriter;
  readonly #wake = new AsyncSignal();
  readonly #reportChanges = new AsyncSignal();
  #report: SettingsReport;
  #state: SettingsState;
  #loaded: LoadedConfig;
  /** Before the trial, from its start until it has been confirmed or taken back. */
  #loadedBefore: LoadedConfig | undefined;
  /** The trial is over, and the configuration before it is not loaded yet. */
  #isTakingBack = false;
  /** `changed` was notified, and `load` not called yet. */
  #isRequested = false;
  /** The last load failed because of the local configuration. */
  #isLocalInvalid = false;
  #isTokenStored = false;

  /** `loaded`: the configuration with the stored settings (`loadWithStored`). */
  constructor(
    stored: StoredRemoteSettings,
    { loaded, record }: LoadedWithStored,
    ports: RemoteSettingsPorts,
  ) {
    this.#ports = ports;
    this.#problems = new SettingsProblems(ports.log);
    this.#writer = new SettingsWriter(stored, record, ports);
    this.#state = initialState(record);
    this.#loaded = loaded;
    this.#problems.setUnfit(valuesWith(record), loaded.remote.refused);
    this.#report = this.#createReport();
  }

  /** Client attributes: what counts, and what is wrong. */
  get report(): ChangingAttributes {
    const values = () => ({ ...this.#report });
    const changes = this.#reportChanges;
    return {
      get values() {
        return values();
      },
      changes,
    };
  }

  get isOnTrial(): boolean {
    return this.#state.trial !== undefined;
  }

  /** The server has not accepted telemetry at the present server.url yet: nothing must be provisioned or bound there. */
  get isServerOnTrial(): boolean {
    return this.#state.trial?.changes.has(SERVER_URL) ?? false;
  }

  onAttributes(update: AttributeUpdate): void {
    if (!this.#loaded.config.remote.settings) return;
    // All attributes come again and again; a notification means that somebody is at work.
    if (update.is !== 'all') this.#isLocalInvalid = false;
    if (update.is === 'deleted') {
      this.#problems.setAttributes(new Map(), update.keys);
      const keys = update.keys.flatMap((name) => keyOfAttribute(name) ?? []);
      this.#setState(receive(this.#state, { is: 'deleted', keys }));
    } else {
      const { values, problems } = readSharedAttributes(update.values);
      this.#problems.setAttributes(problems, update.is === 'all' ? undefined : Object.keys(update.values));
      this.#setState(receive(this.#state, { is: update.is, values }));
    }
  }

  /** `readBootMs`: when the newest accepted reading was taken, ms since this boot. */
  onTelemetryAccepted(readBootMs: number): void {
    const before = this.#state;
    this.#state = acceptTelemetry(before, readBootMs, this.#ports.clock.monotonicMs());
    if (before.trial && !this.#state.trial) this.#onConfirmed(before.trial.changes);
    else if (before.awaitsTelemetry) this.#wake.notify();
  }

  /** Whether the loops would find the token in use again after a restart. No change begins before. */
  setTokenStored(isStored: boolean): void {
    this.#isTokenStored = isStored;
    this.#wake.notify();
  }

  /**
   * Loads the configuration with the settings of the server, which may begin a trial. Throws a ConfigError for a local problem,
   * but not while a trial is taken back: then the configuration before it counts. `cause`: `changed`, or the local configuration.
   */
  load(cause: 'remote' | 'local'): LoadedConfig {
    this.#isRequested = false;
    // What did not fit may fit now.
    if (cause === 'local') this.#state = reconsider(this.#state);
    try {
      return this.#load();
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      this.#isLocalInvalid = true;
      if (!this.#isTakingBack || this.#loadedBefore === undefined) throw error;
      for (const { sentence } of error.problems) logEvent(this.#ports.log, 'FL-CONFIG-INVALID', {}, sentence);
      return this.#setLoaded(this.#loadedBefore);
    }
  }

  /** What was loaded cannot work on this host, and `before` is in use again. */
  onReverted(before: LoadedConfig): void {
    this.#takeBack(true);
    this.#setLoaded(before);
  }

  /** Runs the clock of the trials, and beside it, because a disk can hang, the writer of the file. */
  run(signal: AbortSignal): Promise<void> {
    const current = () => ({ settings: this.#state, loaded: this.#loaded });
    const runWriter = (stop: AbortSignal) => this.#writer.run(this.#wake, current, stop);
    return runAll([(stop) => this.#runTrials(stop), runWriter], signal);
  }

  async #runTrials(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted) {
      const { version } = this.#wake;
      if (trialEndMs(this.#state) <= clock.monotonicMs()) {
        this.#isTakingBack = true;
        this.#takeBack();
        this.#request();
      } else if (this.#startMs() <= clock.monotonicMs()) this.#request();
      const dueMs = Math.min(trialEndMs(this.#state), this.#startMs());
      await this.#wake.waitUntil(dueMs, clock, signal, version);
    }
  }

  #load(): LoadedConfig {
    const nowMs = this.#ports.clock.monotonicMs();
    const isDue = this.#startMs() <= nowMs;
    const tried = isDue ? nextChanges(this.#state, TRIED_ALONE) : NO_CHANGES;
    const values = valuesWith(this.#state, this.#state.trial?.changes ?? tried);
    const isEncryptedOnly = isEncrypted((this.#loadedBefore ?? this.#loaded).config.server.endpoints);
    const loaded = this.#ports.read({ values, isEncryptedOnly });
    if (localUrls(loaded).join() !== localUrls(this.#loaded).join()) return this.#loadWithLocalServer(loaded);
    const { refused } = loaded.remote;
    this.#problems.setUnfit(values, refused);
    if (tried.size > 0) {
      const isRefused = ([key, wish]: readonly [string, string | null]) =>
        refused.some((value) => value.key === key && value.text === wish);
      this.#state = recordAttempt(this.#state, new Map([...tried].filter(isRefused)), nowMs);
      this.#begin(new Map([...tried].filter((change) => !isRefused(change))), loaded);
    }
    return this.#setLoaded(loaded);
  }

  /** Server.url of the gateway has changed: that of the server is forgotten until it sends it again. */
  #loadWithLocalServer(loaded: LoadedConfig): LoadedConfig {
    if (this.isServerOnTrial) this.#state = takeBack(this.#state, this.#ports.clock.monotonicMs(), false);
    if (this.#state.confirmed.has(SERVER_URL)) logEvent(this.#ports.log, 'FL-REMOTE-SERVER-URL-DROPPED');
    this.#state = forget(this.#state, SERVER_URL);
    this.#loaded = { ...this.#loaded, localEndpoints: loaded.localEndpoints };
    return this.#load();
  }

  #begin(changes: Changes, loaded: LoadedConfig): void {
    if (changes.size === 0) return;
    const { clock, log } = this.#ports;
    const [monotonicMs, bootMs, wallMs] = [clock.monotonicMs(), clock.bootMs(), clock.wallMs()];
    const { intervalMs } = this.#loaded.config.telemetry;
    const at = { monotonicMs, bootMs, wallMs, intervalMs };
    const tables = changedTables(this.#loaded.config, loaded.config);
    if (tables.every((table) => HARMLESS_TABLES.includes(table))) {
      this.#state = applyWithoutTrial(this.#state, changes, at);
      this.#onConfirmed(changes);
      return;
    }
    logEvent(log, 'FL-REMOTE-SETTINGS-APPLIED', { settings: formatChanges(changes) });
    this.#state = startTrial(this.#state, changes, at);
    this.#loadedBefore = this.#loaded;
  }

  #onConfirmed(changes: Changes): void {
    logEvent(this.#ports.log, 'FL-REMOTE-SETTINGS-CONFIRMED', { settings: formatChanges(changes) });
    this.#loadedBefore = undefined;
    if (changes.has(SERVER_URL)) this.#writer.bindServer(this.#loaded);
    this.#setState(this.#state);
  }

  #takeBack(isRejected?: boolean): void {
    const { trial } = this.#state;
    if (!trial) return;
    const { clock, log } = this.#ports;
    const isBlamed = isRejected ?? trial.isTelemetryExpected;
    const event = isBlamed ? 'FL-REMOTE-SETTINGS-REVERTED' : 'FL-REMOTE-SETTINGS-POSTPONED';
    logEvent(log, event, { settings: formatChanges(trial.changes) });
    this.#setState(takeBack(this.#state, clock.monotonicMs(), isBlamed));
  }

  /** When a change may begin, monotonic ms; Infinity: not before something happens. */
  #startMs(): number {
    const isHeld = this.#isRequested || this.#isTakingBack || this.#isLocalInvalid || !this.#isTokenStored;
    return isHeld ? Number.POSITIVE_INFINITY : nextStartMs(this.#state);
  }

  #request(): void {
    this.#isRequested = true;
    this.changed.notify();
  }

  #setLoaded(loaded: LoadedConfig): LoadedConfig {
    this.#loaded = loaded;
    this.#isTakingBack = false;
    this.#isLocalInvalid = false;
    if (!loaded.config.remote.settings) {
      this.#state = initialState(this.#state);
      this.#problems.setAttributes(new Map());
    }
    if (!this.#state.trial) this.#loadedBefore = undefined;
    this.#setState(this.#state);
    return loaded;
  }

  #setState(state: SettingsState): void {
    this.#state = state;
    const report = this.#createReport();
    const isSame = JSON.stringify(report) === JSON.stringify(this.#report);
    this.#report = report;
    if (!isSame) this.#reportChanges.notify();
    this.#wake.notify();
  }

  #createReport(): SettingsReport {
    const { config, remote } = this.#loaded;
    const problems = this.#problems.sentences(this.#state);
    return createReport(remote.effective, config.remote.settings ? problems : [SWITCHED_OFF]);
  }
}
