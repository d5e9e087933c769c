/**
 * Loads the configuration from the defaults, the file, its drop-ins, the environment and the server; a later source takes
 * precedence. Secrets have a separate order (sources/secrets.ts). The result is a complete Config, or a ConfigError with every
 * local problem; an invalid value of the server is only refused. Not checked here: whether a gateway without credentials has a
 * provisioning key, and the templates in a device name.
 */

import type { Config, EndpointConfig, ServerAddress } from '../core/model/config.ts';
import { certificateCredentials } from './certificate-credentials.ts';
import { readCredentials } from './credentials.ts';
import type { SensorNames } from './custom-sensors.ts';
import { ConfigError, type Problem, problemAt } from './errors/problem.ts';
import { readExecCommands } from './exec-commands.ts';
import {
  type Assembly,
  applyRemoteValues,
  effectiveTexts,
  type RemoteResult,
  type RemoteSource,
} from './remote-values.ts';
import { settings } from './schema/settings.ts';
import { readSensors } from './sensors.ts';
import { type Environment, readEnvironment } from './sources/environment.ts';
import { tablesOf } from './sources/list-tables.ts';
import type { NamedFilePlaces } from './sources/named-file.ts';
import { exampleFor, missingProblem, type RawSetting, Reader } from './sources/reader.ts';
import { type CertificateFile, readTls } from './sources/tls-files.ts';
import { readTomlFiles, type TomlFiles } from './sources/toml-files.ts';
import { checkTokenTransport } from './token-transport.ts';
import { proxyFromEnvironment } from './values/proxy.ts';

export interface LoadRequest extends NamedFilePlaces {
  readonly file: string;
  /** False for the default path, which may be missing if the environment names the server. */
  readonly fileRequired: boolean;
  readonly environment: Environment;
  /** systemd's $CREDENTIALS_DIRECTORY. */
  readonly credentialsDirectory?: string | undefined;
  /** The caller decides about a provisioning key without a secret: stored credentials make it unnecessary. */
  readonly canLackSecret?: boolean;
  /** For the running service: what only a command should reject is a warning. */
  readonly isService?: boolean;
  /** Names that are valid in the table [sensors]. */
  readonly names: SensorNames;
  /** What the server has set; counts unless remote.settings is off. */
  readonly remote?: RemoteSource;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Sentences for the log about valid but unsafe or ineffective settings. */
  readonly warnings: readonly string[];
  /** By key, the source of its value: "path:line", a variable's name, "shared attribute NAME", or "default". */
  readonly sources: Readonly<Record<string, string>>;
  /** By key, the effective value as it may be shown: a secret as ***. */
  readonly values: Readonly<Record<string, string>>;
  /** The secret file, if it no longer exists, which provisioning.after-success = "forget" allows. */
  readonly deletedSecretFile?: string;
  /** The problem of a provisioning key without a secret, as a sentence. Only if `canLackSecret`. */
  readonly missingSecret?: string;
  /** There may be a provisioning secret that this user cannot read. */
  readonly secretHidden?: true;
  /** The files of server.ca-file, server.cert-file and server.key-file. */
  readonly certificateFiles: readonly CertificateFile[];
  /** server.url without the server's own value: other URLs of the same server. */
  readonly localEndpoints: readonly ServerAddress[];
  readonly remote: RemoteResult;
}

/** The part of a result that does not tell what the server has set. */
type AssembledConfig = Omit<LoadedConfig, 'remote' | 'localEndpoints'>;

export function loadConfig({ credentialFiles, ...rest }: LoadRequest): LoadedConfig {
  const request = { ...rest, credentialFiles: credentialFiles ?? rest.credentialsDirectory };
  const sources: LocalSources = {
    files: readTomlFiles(request.file, request.locate),
    environment: readEnvironment(request.environment),
  };
  const { loaded: local, reader } = assemble(request, sources);
  if (!local) {
    const paths = sources.files.all.map(({ path }) => path);
    throw new ConfigError(sortBySource(reader.problems, paths));
  }
  const localEndpoints = local.config.server.endpoints;
  if (!request.remote || !local.config.remote.settings)
    return { ...local, localEndpoints, remote: { refused: [], effective: effectiveTexts(reader) } };
  const { loaded, remote } = applyRemoteValues(request.remote, local, (rawSettings) =>
    assemble(request, sources, rawSettings),
  );
  return { ...loaded, localEndpoints, remote };
}

interface LocalSources {
  readonly files: TomlFiles;
  readonly environment: ReturnType<typeof readEnvironment>;
}

/** `remote`: takes precedence over the local sources. */
function assemble(
  request: LoadRequest,
  { files, environment }: LocalSources,
  remote: readonly RawSetting[] = [],
): Assembly<AssembledConfig> {
  const reader = new Reader([
    ...files.all.flatMap(({ rawSettings }) => rawSettings),
    ...environment.rawSettings,
    ...remote,
  ]);
  reader.problems.push(...files.all.flatMap(({ problems }) => problems), ...environment.problems);
  const fileProblem = missingFileProblem(request, files, reader);
  if (fileProblem !== undefined) reader.problems.push(fileProblem);
  else if (files.all.every(({ is }) => is !== 'broken')) requireServer(request, reader);

  const { server, certificateFiles, warnings: serverWarnings } = readServer(request, reader);
  const certificate = server && certificateCredentials(server, reader);
  const credentials = readCredentials({ ...request, files, ...(certificate && { certificate }) }, reader);
  const tokenWarnings = checkTokenTransport(
    credentials,
    server?.endpoints,
    request.isService ?? false,
    reader,
  );
  const name = reader.last(settings.deviceName);
  const { sensors, warnings: sensorWarnings } = readSensors(
    reader,
    request.names,
    files.all.map(({ listTables }) => tablesOf(listTables, 'sensor')),
  );
  const commands = readCommands(reader, files);
  const rest = readOtherSettings(reader);
  const { deletedSecretFile, missingSecret, secretHidden } = credentials;
  if (server === undefined || reader.problems.length > 0) {
    reader.problems.push(...(missingSecret ? [missingSecret] : []));
    return { reader };
  }
  const config: Config = {
    server,
    ...(credentials.provisioning && { provisioning: credentials.provisioning }),
    device: {
      ...(name !== undefined && { name }),
      ...(credentials.token && { token: credentials.token }),
      ...(certificate && { isCertificate: true }),
    },
    sensors,
    commands,
    update: readUpdate(reader),
    ...rest,
  };
  const secretState = {
    ...(deletedSecretFile !== undefined && { deletedSecretFile }),
    ...(missingSecret && { missingSecret: missingSecret.sentence }),
    ...(secretHidden && { secretHidden }),
  };
  const warnings = [...serverWarnings, ...credentials.warnings, ...tokenWarnings, ...sensorWarnings];
  const { sources, values } = reader;
  const loaded = { config, warnings, sources, values, certificateFiles, ...secretState };
  return { loaded, reader };
}

function readCommands(reader: Reader, files: TomlFiles): Config['commands'] {
  const { commands, problems } = readExecCommands(
    files.all.map(({ listTables }) => tablesOf(listTables, 'command')),
  );
  reader.problems.push(...problems);
  return { ...reader.lastOrDefault(settings.remoteCommands), exec: commands };
}

function readUpdate(reader: Reader): Config['update'] {
  const window = reader.last(settings.updateWindow);
  return { spreadMs: reader.lastOrDefault(settings.updateSpread), ...(window && { window }) };
}

/** The settings that have a default and do not depend on others. */
function readOtherSettings(
  reader: Reader,
): Pick<Config, 'telemetry' | 'outbox' | 'clock' | 'remote' | 'log'> {
  return {
    telemetry: {
      intervalMs: reader.lastOrDefault(settings.telemetryInterval),
      report: reader.lastOrDefault(settings.telemetryReport),
      sendEveryMs: reader.lastOrDefault(settings.telemetrySendEvery),
      drainPerS: reader.lastOrDefault(settings.telemetryDrainRate),
      deadbands: reader.lastOrDefault(settings.telemetryDeadband),
    },
    outbox: {
      spoolAfterMs: reader.lastOrDefault(settings.outboxSpoolAfter),
      flushEveryMs: reader.lastOrDefault(settings.outboxFlushEvery),
      spoolBytes: reader.lastOrDefault(settings.outboxSpoolSize),
      freeShare: reader.lastOrDefault(settings.outboxFreeSpace),
    },
    clock: { trust: reader.lastOrDefault(settings.clockTrust) },
    remote: { settings: reader.lastOrDefault(settings.remoteSettings) === 'on' },
    log: {
      level: reader.lastOrDefault(settings.logLevel),
      format: reader.lastOrDefault(settings.logFormat),
    },
  };
}

function missingFileProblem(request: LoadRequest, { main }: TomlFiles, reader: Reader): Problem | undefined {
  if (main.is !== 'missing') return undefined;
  if (!request.fileRequired && reader.isSet(settings.serverUrl)) return undefined;
  const lines = `# ${request.file}\n[server]\n${exampleFor(settings.serverUrl, { via: 'file' })}`;
  const what = `does not exist; create it with these lines:\n${lines}`;
  return problemAt({ name: request.file, via: 'file' }, { what });
}

function requireServer(request: LoadRequest, reader: Reader): void {
  if (reader.isSet(settings.serverUrl)) return;
  reader.problems.push(missingProblem(settings.serverUrl, { name: request.file, via: 'file' }, 'is missing'));
}

/** By source, the files first, then by line. */
function sortBySource(problems: readonly Problem[], paths: readonly string[]): readonly Problem[] {
  const names = [...new Set([...paths, ...problems.map((each) => each.source)])];
  return [...problems].sort(
    (a, b) => names.indexOf(a.source) - names.indexOf(b.source) || (a.line ?? 0) - (b.line ?? 0),
  );
}

export interface ServerResult {
  /** Absent without a valid URL. */
  readonly server?: Config['server'];
  readonly certificateFiles: readonly CertificateFile[];
  readonly warnings: readonly string[];
}

/** Adds problems to `reader`. */
export function readServer(
  { environment, ...places }: NamedFilePlaces & Pick<LoadRequest, 'environment'>,
  reader: Reader,
): ServerResult {
  const addresses = reader.last(settings.serverUrl);
  const spreadMs = reader.lastOrDefault(settings.serverSpread);
  const configuredProxy = reader.last(settings.serverProxy);
  const { tls, files: certificateFiles, warnings } = readTls(reader, places);
  if (!addresses) return { certificateFiles, warnings };
  const proxyWarnings: string[] = [];
  const toEndpoint = (address: ServerAddress): EndpointConfig => {
    if (address.scheme === 'coap' || address.scheme === 'coaps') {
      if (address.scheme === 'coaps' && configuredProxy?.proxy) proxyWarnings.push(withoutProxy(address));
      return address;
    }
    const choice = configuredProxy
      ? { proxy: configuredProxy.proxy, warnings: [] }
      : proxyFromEnvironment(environment, address);
    proxyWarnings.push(...choice.warnings);
    return { ...address, ...(choice.proxy && { proxy: choice.proxy }) };
  };
  const [first, ...rest] = addresses;
  const endpoints = [toEndpoint(first), ...rest.map(toEndpoint)] as const;
  const server = { endpoints, spreadMs, tls };
  return { server, certificateFiles, warnings: [...new Set([...warnings, ...proxyWarnings])] };
}

/** The operator may expect the proxy to be the only way out. */
function withoutProxy({ url }: ServerAddress): string {
  return `${settings.serverProxy.key} does not apply to ${url}: coaps is UDP, which the agent sends to the server directly`;
}
