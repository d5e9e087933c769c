/** The list of checks of `firstlight doctor`, with what each needs from the other rooms. */

import { type PathOptions, readServiceConfig, stateDirectory } from '../../app/paths.ts';
import { ServiceUnit } from '../../app/service-unit.ts';
import { openEndpoint, openTransport, shakeHands, type TransportPorts } from '../../app/transport.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import type { LoadedConfig } from '../../config/load.ts';
import type { Config, EndpointConfig } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/log.ts';
import type { Check, CheckResult } from '../../doctor/check.ts';
import { type CredentialState, explainMissingToken } from '../../doctor/credential-state.ts';
import { nameCheck } from '../../doctor/name-check.ts';
import { networkCheck } from '../../doctor/network-check.ts';
import { provisioningCheck } from '../../doctor/provisioning-check.ts';
import { endpointCheck, handshakeCheck, telemetryCheck, tokenCheck } from '../../doctor/server-checks.ts';
import { serverClockCheck } from '../../doctor/server-clock-check.ts';
import { stateCheck } from '../../doctor/state-check.ts';
import { datagramCheck, udpCheck } from '../../doctor/udp-check.ts';
import { deriveDeviceName } from '../../host/hardware/device-name.ts';
import { hostRandom } from '../../host/random.ts';
import { findVolatileStorage } from '../../host/volatile-storage.ts';
import { currentStatus } from '../status/command.ts';
import { readUpdateSummary } from '../update/summary.ts';
import { inspectCredentials } from './credentials.ts';
import { downlinkCheck } from './downlink-check.ts';
import {
  boardCheck,
  clockCheck,
  configurationCheck,
  eventCountsCheck,
  identityCheck,
  outboxCheck,
  successCheck,
} from './host-checks.ts';
import { credstoreChecks, unitCheck } from './service-checks.ts';
import { updateCheck } from './update-check.ts';

export interface DoctorOptions extends PathOptions {
  readonly json?: boolean;
  readonly telemetry?: boolean;
  /** Provision first, for at most this many seconds; true: for the default time. */
  readonly provision?: number | true;
  /** Path of the support bundle; true: a default name in the working directory. */
  readonly bundle?: string | true;
  readonly runtime?: string;
}

export interface CheckList extends AsyncDisposable {
  readonly checks: readonly Check[];
}

/** `provisioningResult`: the result of `--provision`, if given. */
export async function createChecks(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
  provisioningResult: CheckResult | undefined,
): Promise<CheckList> {
  const state = stateDirectory(options, environment);
  const status = await currentStatus(options, environment, clock);
  const configOrProblems = await loadConfigOrProblems(options, environment);
  const unit = new ServiceUnit(clock);
  const credentials: CredentialState =
    'config' in configOrProblems ? await inspectCredentials(state, configOrProblems) : { status: 'absent' };
  const loaded = withMissingSecret(configOrProblems, credentials);
  const localChecks = [
    stateCheck(state, {
      volatileStorage: findVolatileStorage(state),
      hasFixedToken: credentials.status === 'configured',
    }),
    identityCheck(loaded, credentials),
    boardCheck(state),
    clockCheck(loaded, clock),
  ];
  const remainingChecks = [
    outboxCheck(state),
    unitCheck(unit, status.agentVersion),
    ...credstoreChecks(unit, { options, environment }),
    updateCheck(readUpdateSummary),
    downlinkCheck(status),
    successCheck(status, (signal) => unit.failure(signal)),
    eventCountsCheck(status),
  ];
  if (!('config' in loaded)) {
    const checks = [configurationCheck(loaded), ...localChecks, networkCheck(false), ...remainingChecks];
    return { checks, [Symbol.asyncDispose]: async () => {} };
  }
  const { server, device, provisioning } = loaded.config;
  const ports = { clock, random: hostRandom(), log: SILENT_LOGGER };
  const { transport } = await openTransport(server, ports);
  const token = 'token' in credentials ? credentials.token : undefined;
  const pair = provisioning && {
    key: provisioning.key,
    secretCharacters: provisioning.secret.reveal().length,
  };
  const template = device.name;
  const derivedName = deriveDeviceName({ root: '/', ...(template !== undefined && { template }) });
  const checks = [
    configurationCheck(loaded),
    ...localChecks,
    networkCheck(server.endpoints.every(({ host }) => /^(localhost|127\.|::1)/.test(host))),
    ...server.endpoints.flatMap((endpoint) => endpointChecks(endpoint, server, ports)),
    ...serverClock(server, clock),
    provisioningResult
      ? { name: 'provisioning', run: async () => provisioningResult }
      : provisioningCheck(
          derivedName.ok ? derivedName.name : '(no name)',
          loaded.secretHidden ? 'unreadable' : pair,
          credentials,
        ),
    tokenCheck(
      token ? (signal) => transport.probe(token, signal) : (explainMissingToken(credentials) ?? ''),
      device.isCertificate ? 'client certificate' : 'token',
    ),
    ...(options.telemetry && token
      ? [telemetryCheck((signal) => transport.postTelemetry(token, '{"firstlightDoctorTest":1}', signal))]
      : []),
    ...remainingChecks,
  ];
  return { checks, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() };
}

/** Uses the first HTTP endpoint without a plain proxy, whose own clock would be measured. */
function serverClock({ endpoints, tls }: Config['server'], clock: Clock): readonly Check[] {
  for (const { scheme, host, port, proxy } of endpoints) {
    if (scheme === 'coap' || scheme === 'coaps' || (scheme === 'http' && proxy)) continue;
    return [
      serverClockCheck(async (signal) => {
        // Loaded on demand, because a CoAP gateway does not need it.
        const { measureClockOffset } = await import('../../transport/http/measure-clock-offset.ts');
        return measureClockOffset({ scheme, host, port }, { tls, ...(proxy && { proxy }) }, clock, signal);
      }),
    ];
  }
  return [];
}

/** The checks of one endpoint; with several endpoints, each name contains the URL. */
function endpointChecks(
  endpoint: EndpointConfig,
  server: Config['server'],
  ports: TransportPorts,
): readonly Check[] {
  const { host, port, scheme, url } = endpoint;
  const peer = { host, port };
  const checks =
    scheme === 'coap'
      ? [nameCheck(host, ports.clock), udpCheck(peer, ports.clock), datagramCheck(peer, ports.clock)]
      : [
          ...(endpoint.proxy ? [] : [nameCheck(host, ports.clock)]),
          ...(scheme === 'coaps'
            ? [handshakeCheck((signal) => shakeHands(endpoint, server, ports, signal))]
            : []),
          endpointCheck(`${scheme.toUpperCase()} path`, async (signal) => {
            await using transport = await openEndpoint(endpoint, server, ports);
            return await transport.probe(new Secret('firstlightDoctorNobody'), signal);
          }),
        ];
  if (server.endpoints.length === 1) return checks;
  return checks.map((check) => ({ ...check, name: `${check.name} of ${url}` }));
}

/** As for the agent, a missing provisioning secret is a problem only without credentials. */
function withMissingSecret(
  loaded: LoadedConfig | readonly string[],
  { status }: CredentialState,
): LoadedConfig | readonly string[] {
  if (!('config' in loaded) || loaded.missingSecret === undefined) return loaded;
  if (status !== 'usable' && status !== 'pending') return [loaded.missingSecret];
  return { ...loaded, warnings: [...loaded.warnings, loaded.missingSecret] };
}

/** The configuration with the stored settings of the server, or one sentence for each problem. */
export async function loadConfigOrProblems(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
): Promise<LoadedConfig | readonly string[]> {
  try {
    return (await readServiceConfig(options, environment, true)).loaded;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ sentence }) => sentence);
  }
}
