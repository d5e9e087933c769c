/**
 * Remote settings of a gateway whose loops are only counted: real files, a virtual clock, and the reloader of the daemon. A power
 * cut opens everything again from the files.
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigReloader } from '../../../src/app/config-reloader.ts';
import { RemoteSettings } from '../../../src/app/remote/remote-settings.ts';
import {
  loadWithStored,
  REMOTE_SETTINGS_FILE,
  readRemoteSettings,
  remoteSettingsFile,
} from '../../../src/app/remote/settings-file.ts';
import { StartupError } from '../../../src/app/startup-error.ts';
import type { LoadedConfig } from '../../../src/config/load.ts';
import type { RemoteSource } from '../../../src/config/remote-values.ts';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import { ConfigFixture } from '../../config/config-fixture.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';

export const BOARD = ['serial:0000000000000001'];
export const LOCAL = '[server]\nurl = "coap://local.example"\n[telemetry]\ninterval = "20s"\n';

class ConfigurableLogger extends RecordingLogger {
  readonly levels: string[] = [];

  configure({ level }: { readonly level: string }): void {
    this.levels.push(level);
  }
}

export class RemoteFixture implements AsyncDisposable {
  readonly config = new ConfigFixture();
  readonly clock = new VirtualClock();
  readonly log = new ConfigurableLogger();
  readonly reload = new AsyncSignal();
  /** Each time: the URLs to which the credentials were bound, and then what was stored by then. */
  readonly bound: string[][] = [];
  /** The configurations of the loops, the first one included. */
  started: LoadedConfig[] = [];
  loads = 0;
  reports = 0;
  board: readonly string[] = BOARD;
  /** The disk never answers when the credentials are bound. */
  isDiskHanging = false;
  #remote: RemoteSettings | undefined;
  #reloader: ConfigReloader | undefined;
  #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  static async open(toml = LOCAL): Promise<RemoteFixture> {
    const fixture = new RemoteFixture();
    fixture.config.write('firstlight.toml', toml);
    mkdirSync(fixture.state);
    await fixture.start();
    return fixture;
  }

  get state(): string {
    return join(this.config.directory, 'state');
  }

  get path(): string {
    return join(this.state, REMOTE_SETTINGS_FILE);
  }

  get remote(): RemoteSettings {
    if (!this.#remote) throw new Error('not started');
    return this.#remote;
  }

  get reloader(): ConfigReloader {
    if (!this.#reloader) throw new Error('not started');
    return this.#reloader;
  }

  /** What counts now. */
  get current(): LoadedConfig {
    return this.reloader.current;
  }

  /** Changes the configuration of the gateway. */
  write(toml: string): void {
    this.config.write('firstlight.toml', toml);
  }

  putFile(content: string): void {
    writeFileSync(this.path, content, { mode: 0o600 });
  }

  get file(): Record<string, unknown> | undefined {
    return existsSync(this.path)
      ? (JSON.parse(readFileSync(this.path, 'utf8')) as Record<string, unknown>)
      : undefined;
  }

  /** The stored values by key. */
  get storedTexts(): Record<string, string> {
    const values = (this.file?.['values'] ?? {}) as Record<string, { text: string }>;
    return Object.fromEntries(Object.entries(values).map(([key, { text }]) => [key, text]));
  }

  async start({ isTokenStored = true } = {}): Promise<void> {
    const { clock, log, state } = this;
    const stored = await readRemoteSettings(state, this.board);
    const read = (remote: RemoteSource) => {
      this.loads += 1;
      return this.config.load(undefined, { remote });
    };
    const first = loadWithStored(read, stored.record);
    const bindCredentials = async (loaded: LoadedConfig) => {
      this.bound.push(loaded.config.server.endpoints.map(({ url }) => url));
      if (this.isDiskHanging) await new Promise(() => {});
      if (existsSync(this.path)) this.bound.push(Object.values(this.storedTexts));
    };
    this.#remote = new RemoteSettings(stored, first, {
      file: remoteSettingsFile(state),
      clock,
      log,
      read,
      bindCredentials,
    });
    this.#reloader = new ConfigReloader(first.loaded, {
      remote: this.#remote,
      reload: this.reload,
      log,
      service: undefined,
    });
    this.started = [first.loaded];
    this.#stop = new AbortController();
    const { signal } = this.#stop;
    this.#running = Promise.all([
      this.#remote.run(signal),
      this.#countStarts(signal),
      this.#countReports(signal),
    ]);
    if (isTokenStored) this.remote.setTokenStored(true);
    await this.settle();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** Ends without any last write and starts again. */
  async powerCut(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** All shared attributes, as after a registration. */
  async all(values: Record<string, unknown>): Promise<void> {
    this.remote.onAttributes({ is: 'all', values });
    await this.settle();
  }

  async changed(values: Record<string, unknown>): Promise<void> {
    this.remote.onAttributes({ is: 'changed', values });
    await this.settle();
  }

  async deleted(...keys: readonly string[]): Promise<void> {
    this.remote.onAttributes({ is: 'deleted', keys });
    await this.settle();
  }

  /** The server accepts a reading of just now. */
  async accept(): Promise<void> {
    await this.clock.advance(1000);
    this.remote.onTelemetryAccepted(Math.round(this.clock.bootMs()));
    await this.settle();
  }

  async minutes(minutes: number): Promise<void> {
    await this.clock.advance(minutes * 60_000);
    await this.settle();
  }

  async sighup(): Promise<void> {
    this.reload.notify();
    await this.settle();
  }

  /** The new configuration cannot work on this host. */
  failStart(): boolean {
    return this.reloader.revert(new StartupError('FL-DEVICE-NAME-INVALID', 'no name'));
  }

  /** Lets pending work and file operations end. */
  async settle(): Promise<void> {
    for (let quietTurns = 0; quietTurns < 3; ) {
      await new Promise((resolve) => setTimeout(resolve, 1));
      const isBusy = process.getActiveResourcesInfo().some((kind) => /FSReq|CloseReq/.test(kind));
      quietTurns = isBusy ? 0 : quietTurns + 1;
    }
  }

  events(prefix = 'FL-REMOTE'): readonly string[] {
    return this.log.events.filter((event) => event.startsWith(prefix));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.config[Symbol.dispose]();
  }

  async #countStarts(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.reloader.waitForChange(signal);
      if (!signal.aborted) this.started.push(this.reloader.current);
    }
  }

  async #countReports(signal: AbortSignal): Promise<void> {
    const { changes } = this.remote.report;
    while (!signal.aborted) {
      await changes.wait(signal);
      if (!signal.aborted) this.reports += 1;
    }
  }
}
