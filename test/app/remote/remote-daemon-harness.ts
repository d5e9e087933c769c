/**
 * The whole daemon in this process, against the sandbox, with a clock that runs faster than the host's. The test feeds shared
 * attributes as the downlink does. A snapshot of the files is what a power cut leaves at that moment.
 */

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { commandControls } from '../../../src/app/command-controls.ts';
import { ConfigReloader } from '../../../src/app/config-reloader.ts';
import { bindCredentialsTo } from '../../../src/app/credential-hooks.ts';
import { runDaemon } from '../../../src/app/daemon.ts';
import { readConfig } from '../../../src/app/paths.ts';
import { RemoteSettings } from '../../../src/app/remote/remote-settings.ts';
import {
  loadWithStored,
  readRemoteSettings,
  remoteSettingsFile,
} from '../../../src/app/remote/settings-file.ts';
import type { LoadedConfig } from '../../../src/config/load.ts';
import type { RemoteSource } from '../../../src/config/remote-values.ts';
import { AsyncSignal } from '../../../src/core/async/async-signal.ts';
import { EventHistory } from '../../../src/core/status/event-history.ts';
import { type HostClock, hostClock } from '../../../src/host/clock/clock.ts';
import { boardFingerprint } from '../../../src/host/hardware/fingerprint.ts';
import { openLogger } from '../../../src/host/log/logger.ts';
import type { Sandbox } from '../../../src/sandbox/sandbox.ts';
import { MAIN } from '../../paths.ts';
import { readingTimes } from '../../reading-times.ts';
import { until } from '../../until.ts';

export const PROVISIONING = { key: 'key-of-the-profile', secret: 'secret-of-the-profile' };

/** A clock whose time passes `factor` times as fast. */
export function fastClock(factor: number): HostClock {
  const host = hostClock();
  const startedMs = host.monotonicMs();
  const elapsedMs = () => (host.monotonicMs() - startedMs) * factor;
  const [wallMs, bootMs] = [host.wallMs(), host.bootMs()];
  return {
    bootId: host.bootId,
    wallMs: () => Math.round(wallMs + elapsedMs()),
    bootMs: () => bootMs + elapsedMs(),
    monotonicMs: elapsedMs,
    sleep: (ms, signal) => host.sleep(ms / factor, signal),
    drainTimerLagMs: () => undefined,
  };
}

export interface GatewayOptions {
  readonly server: string;
  readonly factor?: number;
  readonly interval?: string;
}

/** The files of one gateway; `run` starts a daemon on them. */
export class DaemonGateway implements AsyncDisposable {
  readonly #options: GatewayOptions;
  readonly #directory: string;
  readonly #stops: (() => Promise<void>)[] = [];

  private constructor(directory: string, options: GatewayOptions) {
    this.#directory = directory;
    this.#options = options;
  }

  static async create(options: GatewayOptions): Promise<DaemonGateway> {
    const gateway = new DaemonGateway(await mkdtemp(join(tmpdir(), 'firstlight-remote-')), options);
    await gateway.writeConfig(options.server);
    return gateway;
  }

  get state(): string {
    return join(this.#directory, 'state');
  }

  async writeConfig(server: string): Promise<void> {
    const { key, secret } = PROVISIONING;
    const toml = `[server]\nurl = "${server}"\nspread = "0s"
[provisioning]\nkey = "${key}"\nsecret = "${secret}"
[device]\nname = "gw-test"
[telemetry]\ninterval = "${this.#options.interval ?? '10s'}"
deadband = "uptimeS=0.1"
[sensors]\nprofile = "minimal"
[clock]\ntrust = "system"
[log]\nlevel = "debug"\n`;
    await writeFile(join(this.#directory, 'firstlight.toml'), toml, { mode: 0o600 });
  }

  /** What a power cut at this moment leaves. */
  async snapshot(): Promise<DaemonGateway> {
    const directory = await mkdtemp(join(tmpdir(), 'firstlight-remote-'));
    await cp(this.#directory, directory, { recursive: true });
    return new DaemonGateway(directory, this.#options);
  }

  async readJson(name: string): Promise<Record<string, unknown> | undefined> {
    const text = await readFile(join(this.state, name), 'utf8').catch(() => undefined);
    return text === undefined ? undefined : (JSON.parse(text) as Record<string, unknown>);
  }

  /** `onBound`: called when the credentials have been bound to the URLs in use, before the settings are stored. */
  async run({ onBound }: { readonly onBound?: () => Promise<void> } = {}): Promise<RunningDaemon> {
    process.argv[1] = MAIN; // the program of the hardware facts
    const clock = fastClock(this.#options.factor ?? 10);
    const lines: string[] = [];
    const stream = new Writable({
      write(chunk, _encoding, done) {
        lines.push(...String(chunk).trimEnd().split('\n'));
        done();
      },
    });
    const log = openLogger({ level: 'debug', format: 'text', isJournald: false, clock, stream });
    const { state } = this;
    const fingerprint = boardFingerprint({ root: '/' });
    const stored = await readRemoteSettings(state, fingerprint);
    const read = (source: RemoteSource) =>
      readConfig({ config: join(this.#directory, 'firstlight.toml') }, {}, source);
    const first = loadWithStored(read, stored.record);
    const bindCredentials = async (loaded: LoadedConfig) => {
      await bindCredentialsTo(loaded, { state, fingerprint, clock, log });
      await onBound?.();
    };
    const remote = new RemoteSettings(stored, first, {
      file: remoteSettingsFile(state),
      clock,
      log,
      read,
      bindCredentials,
    });
    const reload = new AsyncSignal();
    const config = new ConfigReloader(first.loaded, {
      remote,
      reload,
      log,
      service: undefined,
    });
    const controls = commandControls({
      clock,
      environment: {},
      eventHistory: new EventHistory(clock),
      reload,
      programOptions: { config: [], state: [] },
      runtime: undefined,
      isService: false,
    });
    const parts = { state, clock, log, remote, controls };
    const context = { ...parts, runtime: undefined, service: undefined, memory: undefined };
    const controller = new AbortController();
    const ended = runDaemon(config, { ...context, statusOutput: undefined }, controller.signal);
    const stop = async () => {
      controller.abort();
      await ended;
      await log.close();
    };
    this.#stops.push(stop);
    return { remote, config, lines, clock, stop };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops) await stop();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

export interface RunningDaemon {
  readonly remote: RemoteSettings;
  readonly config: ConfigReloader;
  readonly lines: readonly string[];
  readonly clock: HostClock;
  stop(): Promise<void>;
}

/** Resolves when a line contains `text`, past or future, for the `count`th time. */
export async function line({ lines }: Pick<RunningDaemon, 'lines'>, text: string, count = 1): Promise<void> {
  await until(
    () => lines.filter((each) => each.includes(text)).length >= count,
    () => `no "${text}" in\n${lines.slice(-40).join('\n')}`,
  );
}

/** The time between each reading and the one before it, ms. */
export function readingGaps(sandbox: Sandbox): readonly number[] {
  const times = readingTimes(sandbox.points());
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

/** Sets the shared attribute `serverUrl` of the only device; undefined deletes it. */
export function setServerUrl(sandbox: Sandbox, url: string | undefined): void {
  const { admin } = sandbox.core;
  const name = sandbox.devices()[0]?.name ?? '';
  if (url === undefined) admin.deleteSharedAttributes(name, ['serverUrl']);
  else admin.setSharedAttributes(name, JSON.stringify({ serverUrl: url }));
}
