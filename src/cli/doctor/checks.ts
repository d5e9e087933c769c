/** The checks of `firstlight doctor`, in their order, each given what it needs of the other rooms. */

import { type Places, readServiceConfig, stateDirectory } from '../../app/paths.ts';
import { openRoad, openTransport, type RoadPorts } from '../../app/transport.ts';
import { VERSION } from '../../app/version.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import type { Loaded } from '../../config/load.ts';
import type { Config, Road } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/silent-logger.ts';
import type { Check, Finding } from '../../doctor/check.ts';
import { whyNoToken } from '../../doctor/credential-state.ts';
import { nameCheck } from '../../doctor/name-check.ts';
import { networkCheck } from '../../doctor/network-check.ts';
import { provisioningCheck } from '../../doctor/provisioning-check.ts';
import { roadCheck, telemetryCheck, tokenCheck } from '../../doctor/server-checks.ts';
import { serverClockCheck } from '../../doctor/server-clock-check.ts';
import { serviceCheck } from '../../doctor/service-check.ts';
import { stateCheck } from '../../doctor/state-check.ts';
import { datagramCheck, udpCheck } from '../../doctor/udp-check.ts';
import { deviceName } from '../../host/hardware/device-name.ts';
import { askCommand } from '../../host/process/run-command.ts';
import { hostChance } from '../../host/random.ts';
import { currentAnswer } from '../status/command.ts';
import { lookAtCredentials } from './credentials.ts';
import {
  boardCheck,
  clockCheck,
  configurationCheck,
  identityCheck,
  outboxCheck,
  successCheck,
  toldCheck,
} from './host-checks.ts';

export interface DoctorOptions extends Places {
  readonly json?: boolean;
  readonly telemetry?: boolean;
  /** Provision first, for at most so many seconds; true: for the usual time. */
  readonly provision?: number | true;
  /** Where to write a support bundle; true: under a name of its own, here. */
  readonly bundle?: string | true;
  readonly runtime?: string;
}

export interface Walk extends AsyncDisposable {
  readonly checks: readonly Check[];
}

const SHOWN = ['LoadState', 'UnitFileState', 'ActiveState', 'SubState', 'ExecMainStatus', 'WatchdogUSec'];

/** `provisioned`: what came of provisioning, where that was asked for. */
export async function doctorsChecks(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  clock: Clock,
  provisioned: Finding | undefined,
): Promise<Walk> {
  const state = stateDirectory(options, environment);
  const status = await currentAnswer(options, environment, clock);
  const loaded = load(options, environment);
  const askService = (signal: AbortSignal) =>
    askCommand(
      {
        command: 'systemctl',
        arguments: ['show', 'firstlight.service', '-p', SHOWN.join(',')],
        deadlineMs: 5_000,
      },
      clock,
      signal,
    );
  const service = serviceCheck(askService, status.agentVersion, VERSION);
  const local = [stateCheck(state), identityCheck(loaded), boardCheck(state), clockCheck(loaded, clock)];
  const rest = [outboxCheck(state), service, successCheck(status), toldCheck(status)];
  if (!('config' in loaded)) {
    const checks = [configurationCheck(loaded), ...local, networkCheck(false), ...rest];
    return { checks, [Symbol.asyncDispose]: async () => {} };
  }
  const { config } = loaded;
  const { server, device, provisioning } = config;
  const ports = { clock, chance: hostChance(), log: SILENT_LOGGER };
  const { transport } = await openTransport(server, ports);
  const credentials = await lookAtCredentials(state, config);
  const token = 'token' in credentials ? credentials.token : undefined;
  const pair = provisioning && {
    key: provisioning.key,
    secretCharacters: provisioning.secret.reveal().length,
  };
  const template = device.name;
  const named = deviceName({ root: '/', ...(template !== undefined && { template }) });
  const checks = [
    configurationCheck(loaded),
    ...local,
    networkCheck(server.roads.every(({ host }) => /^(localhost|127\.|::1)/.test(host))),
    ...server.roads.flatMap((road) => checksOfRoad(road, server, ports)),
    ...serverClock(server, clock),
    provisioned
      ? { name: 'provisioning', look: async () => provisioned }
      : provisioningCheck(
          named.ok ? named.name : '(no name)',
          loaded.secretHidden ? 'hidden' : pair,
          credentials,
        ),
    tokenCheck(token ? (signal) => transport.probe(token, signal) : (whyNoToken(credentials) ?? '')),
    ...(options.telemetry && token
      ? [telemetryCheck((signal) => transport.postTelemetry(token, '{"firstlightDoctorTest":1}', signal))]
      : []),
    ...rest,
  ];
  return { checks, [Symbol.asyncDispose]: () => transport[Symbol.asyncDispose]() };
}

/** By the first road that lets it be asked: of a proxy's clock nobody wants to know. */
function serverClock({ roads, tls }: Config['server'], clock: Clock): readonly Check[] {
  for (const { scheme, host, port, proxy } of roads) {
    if (scheme === 'coap' || (scheme === 'http' && proxy)) continue;
    return [
      serverClockCheck(async (signal) => {
        // Loaded where it is needed: a gateway on CoAP does without.
        const { clockAheadMs } = await import('../../transport/http/clock-offset.ts');
        return clockAheadMs({ scheme, host, port }, { tls, ...(proxy && { proxy }) }, clock, signal);
      }),
    ];
  }
  return [];
}

/** Several roads have the checks of one after those of the other, each with its URL. */
function checksOfRoad(road: Road, server: Config['server'], ports: RoadPorts): readonly Check[] {
  const { host, port, scheme, url } = road;
  const peer = { host, port };
  const checks =
    scheme === 'coap'
      ? [nameCheck(host, ports.clock), udpCheck(peer, ports.clock), datagramCheck(peer, ports.clock)]
      : [
          ...(road.proxy ? [] : [nameCheck(host, ports.clock)]),
          roadCheck(`${scheme.toUpperCase()} path`, async (signal) => {
            await using way = await openRoad(road, server, ports);
            return await way.probe(new Secret('firstlightDoctorNobody'), signal);
          }),
        ];
  if (server.roads.length === 1) return checks;
  return checks.map((check) => ({ ...check, name: `${check.name} of ${url}` }));
}

/** The configuration, or its problems in sentences. */
export function load(options: DoctorOptions, environment: NodeJS.ProcessEnv): Loaded | readonly string[] {
  try {
    return readServiceConfig(options, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ sentence }) => sentence);
  }
}
