/**
 * An agent instance: the agent's loops with one configuration, until the configuration changes or the agent stops.
 *
 * Here everything is made that depends on the configuration: credential store, transport, device name. `SharedServices` outlive
 * it: queued readings pass to the next instance in memory, and unacknowledged ones are sent again with the same timestamps.
 */

import { existsSync } from 'node:fs';
import { type AgentPorts, type AgentSettings, runLoops } from '../agent/agent.ts';
import type { LoadedConfig } from '../config/load.ts';
import { endpointId } from '../config/values/server-url.ts';
import { runAll } from '../core/async/tasks.ts';
import type { CommandDispatcher } from '../core/downlink/command-dispatcher.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import type { Network } from '../core/ports/network.ts';
import type { Outbox } from '../core/ports/outbox.ts';
import type { Random } from '../core/ports/random.ts';
import type { HostFacts } from '../core/ports/sensors.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import type { DeliveryCounters } from '../core/status/counters.ts';
import type { Timestamper } from '../core/timestamps/timestamper.ts';
import { ConfCredentialStore } from '../credentials/store.ts';
import { StoreError } from '../credentials/store-error.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import type { HostLogger } from '../host/log/logger.ts';
import { allowedCommands } from '../remote-commands/allowed-commands.ts';
import type { AgentControls } from '../remote-commands/built-in-commands.ts';
import { openUpdates } from '../update/download/open-updates.ts';
import type { UpdateFollower } from '../update/download/update-follower.ts';
import { operatorPrograms } from './command-controls.ts';
import { deleteSecretFile, withHooks } from './credential-hooks.ts';
import { credentialServers, resolveDeviceName } from './identity.ts';
import { CREDSTORE } from './paths.ts';
import type { PlaintextWarnings } from './plaintext-warnings.ts';
import type { RemoteSettings } from './remote/remote-settings.ts';
import type { SensorSet } from './sensors.ts';
import { StartupError } from './startup-error.ts';
import { openTransport, warnOfHelper } from './transport.ts';
import { VERSION } from './version.ts';

/** Services that outlive one configuration. */
export interface SharedServices {
  /** The state directory. */
  readonly state: string;
  /** For files that are valid in this boot only; undefined if the host has no runtime directory. */
  readonly runtime: string | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly network: Network;
  readonly log: HostLogger;
  readonly sensorSet: SensorSet;
  readonly plaintextWarnings: PlaintextWarnings;
  readonly facts: HostFacts;
  readonly service: ServiceManager | undefined;
  readonly statusOutput: AgentPorts['statusOutput'];
  readonly timestamper: Timestamper;
  readonly outbox: Outbox & { readonly size: number };
  readonly counters: DeliveryCounters;
  /** Remembers what ran, whatever the configuration becomes. */
  readonly commands: CommandDispatcher;
  /** What commands may do with this process and host. */
  readonly controls: AgentControls;
  readonly remote: RemoteSettings;
}

/** Wires and runs one instance. Rejects with a StartupError before any loop has started. */
export async function runAgentInstance(
  loaded: LoadedConfig,
  sharedServices: SharedServices,
  signal: AbortSignal,
): Promise<void> {
  const { config } = loaded;
  const { state, clock, random, log, outbox, counters, remote } = sharedServices;
  log.configure(config.log);
  if (config.provisioning) log.redact(config.provisioning.secret);
  if (config.device.token && !config.device.isCertificate) log.redact(config.device.token);
  for (const { proxy } of config.server.endpoints) {
    for (const secret of [proxy?.authorization, proxy?.password]) if (secret) log.redact(secret);
  }
  const servers = credentialServers(loaded, remote.isServerOnTrial);
  const binding = { servers, fingerprint: boardFingerprint({ root: '/' }) };
  await using fileStore = new ConfCredentialStore(state, binding, { clock, log });
  const store = withHooks(fileStore, {
    onToken: (token) => log.redact(token),
    onRecord: (record) => remote.setTokenStored(record.state === 'provisioned'),
    onProvisioned: () => deleteSecretFile(config.provisioning, log),
  });
  const stored = config.device.token ? undefined : await readStoredRecord(store);
  if (config.device.token) remote.setTokenStored(true);
  else if (stored !== 'unreadable') {
    requireCredentials(stored, loaded, state);
    if (remote.isServerOnTrial) requireToken(stored, state);
  }
  const record = stored === 'unreadable' ? undefined : stored;
  if (loaded.missingSecret !== undefined)
    logEvent(
      log,
      'FL-CONFIG-WARNING',
      {},
      `${loaded.missingSecret}: the agent uses its credentials, and cannot provision again`,
    );
  const onRoundTrip = (ms: number) => counters.recordRoundTrip(ms);
  const ports = { clock, random, log, onRoundTrip };
  const { transport: openedTransport, endpoint } = await openTransport(config.server, ports);
  await using transport = openedTransport;
  const isNameStored = config.device.token !== undefined || record?.state === 'provisioned';
  const name = isNameStored ? record?.deviceName : await resolveDeviceName(config, { log, clock, signal });
  const settings = createAgentSettings(
    config,
    name ?? `named by its ${config.device.isCertificate ? 'certificate' : 'token'}`,
    remote,
    isLocalServer(loaded),
  );
  // Readings that the previous instance took and that were not acknowledged are sent again.
  for (const lane of [outbox.fresh, outbox.backlog]) lane.rewind();
  const server = config.server.endpoints.map(({ url }) => url).join(',');
  logEvent(log, 'FL-AGENT-STARTED', { version: VERSION, server, state, queuedReadings: outbox.size });
  void sharedServices.plaintextWarnings.warn(config.server.endpoints, signal);
  void warnOfHelper(config.server.endpoints, ports);
  const { sensors, run: runSensors } = sharedServices.sensorSet.open(config.sensors);
  const updates = await openUpdates(config, { ...sharedServices, version: VERSION });
  const downlink = createDownlink(config, sharedServices, updates);
  const onTelemetryAccepted = (readBootMs: number) => remote.onTelemetryAccepted(readBootMs);
  const reports = { downlink, onTelemetryAccepted, changingAttributes: remote.report };
  const runAgentLoops = (stop: AbortSignal) =>
    runLoops({ ...sharedServices, ...reports, sensors, store, transport, endpoint }, settings, stop);
  await runAll([runAgentLoops, runSensors], signal);
}

/** What the agent listens to; undefined if the configuration turns all of it off. */
function createDownlink(
  config: Config,
  { clock, remote, commands, controls }: SharedServices,
  updates: UpdateFollower | undefined,
): AgentPorts['downlink'] {
  const subscriptions = {
    attributes: config.remote.settings || updates !== undefined,
    commands: !config.commands.isOff,
  };
  if (!subscriptions.attributes && !subscriptions.commands) return undefined;
  const table = allowedCommands(config.commands, controls, operatorPrograms(clock));
  return {
    subscriptions,
    listener: {
      onAttributes: (update) => {
        remote.onAttributes(update);
        updates?.onAttributes(update);
      },
      onCommand: (command) => commands.onCommand(command),
    },
    serveCommands: (send, signal) => commands.serve(table, send, signal),
    ...(updates && { runUpdates: (server, signal) => updates.run(server, signal) }),
  };
}

/** An unreadable store is not an empty one and may become readable: the session logs why and keeps trying. */
async function readStoredRecord(
  store: CredentialStore,
): Promise<CredentialRecord | undefined | 'unreadable'> {
  try {
    return await store.read();
  } catch (error) {
    if (error instanceof StoreError) return 'unreadable';
    throw error;
  }
}

/** Fails early on what no retry can heal. Any stored token is worth trying. */
function requireCredentials(
  record: CredentialRecord | undefined,
  { config, deletedSecretFile, missingSecret }: LoadedConfig,
  state: string,
): void {
  if (record?.token || config.provisioning) return;
  if (missingSecret !== undefined)
    throw new StartupError(
      'FL-CONFIG-INVALID',
      `${missingSecret}${existsSync(CREDSTORE) ? CREDSTORE_HINT : ''}`,
    );
  throw new StartupError(
    'FL-PROVISIONING-NOT-CONFIGURED',
    deletedSecretFile === undefined
      ? `there are no credentials in ${state} and no provisioning key: set provisioning.key and provisioning.secret of the device profile`
      : `there are no credentials in ${state} and the provisioning secret file ${deletedSecretFile} does not exist: write the secret there again, or correct its path`,
  );
}

const CREDSTORE_HINT = `; if the secret is in ${CREDSTORE}, systemd did not pass it to the agent: run sudo firstlight doctor`;

/** Whether the gateway itself names every URL in use. The provisioning secret goes to no other server. */
function isLocalServer({ config, localEndpoints }: LoadedConfig): boolean {
  const localUrls = new Set(localEndpoints.map(({ url }) => url));
  return config.server.endpoints.every(({ url }) => localUrls.has(url));
}

/** At a server.url on trial the agent uses the token that it has, and nothing else: it must be able to go back. */
function requireToken(record: CredentialRecord | undefined, state: string): void {
  if (record?.state === 'provisioned') return;
  throw new StartupError(
    'FL-PROVISIONING-NOT-CONFIGURED',
    `there is no confirmed access token in ${state}, without which the agent does not try another server.url`,
  );
}

/** Longest wait before the first request on trial: most of the trial must be left for telemetry. */
const TRIAL_SPREAD_MS_MAX = 60_000;

/** Of the time that a reading stays in memory: one that is gathered must not get to the disk. */
const GATHERED_SHARE_MAX = 0.75;

/**
 * The settings of the agent's loops, from the configuration. `name`: of the device. `remote`: absent for a command, which knows no
 * trial. `isServerLocal`: the agent may provision again.
 */
export function createAgentSettings(
  config: Config,
  name: string,
  remote?: Pick<RemoteSettings, 'isOnTrial' | 'isServerOnTrial'>,
  isServerLocal = true,
): AgentSettings {
  const { server, device, provisioning, telemetry, outbox } = config;
  const mayReprovision = provisioning?.afterSuccess === 'keep';
  return {
    ...(remote?.isOnTrial && { firstRequestMsMax: TRIAL_SPREAD_MS_MAX }),
    server: endpointId(server.endpoints[0]),
    deviceName: name,
    spreadMs: server.spreadMs,
    sampleEveryMs: telemetry.intervalMs,
    drainPerS: telemetry.drainPerS,
    sendEveryMs: Math.min(telemetry.sendEveryMs, outbox.spoolAfterMs * GATHERED_SHARE_MAX),
    deadbands: telemetry.deadbands,
    report: telemetry.report,
    ...(device.token && { token: device.token }),
    // A trial ends while the loops run.
    get reprovision() {
      return mayReprovision && isServerLocal && !remote?.isServerOnTrial;
    },
    ...(provisioning && {
      pair: {
        key: provisioning.key,
        secret: provisioning.secret,
        deviceGenerated: provisioning.credentials === 'device-generated',
      },
    }),
  };
}
