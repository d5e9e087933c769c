/**
 * Loads the configuration: built-in defaults, then the file, then its drop-ins, then the environment; what comes later
 * wins. (Secrets have an order of their own: secrets.ts.) Either a complete Config leaves, or a ConfigError with every
 * problem there is.
 *
 * Left to others: whether a gateway without credentials has a provisioning pair (the run command), and what the
 * templates in a device name stand for.
 */

import type { Config } from '../core/model/config.ts';
import { readCredentials } from './credentials.ts';
import { ConfigError, type Problem, problemAt } from './errors/problem.ts';
import type { SensorNames } from './schema/sensor-names.ts';
import { settings } from './schema/settings.ts';
import { readSensors } from './sensors.ts';
import { readServer } from './server.ts';
import { type Environment, readEnvironment } from './sources/environment.ts';
import { exampleFor, missingProblem, Reader } from './sources/reader.ts';
import { readTomlFiles, type TomlFiles } from './sources/toml-files.ts';

export interface LoadRequest {
  readonly file: string;
  /** False for the default path, whose absence is fine when the environment names the server. */
  readonly fileRequired: boolean;
  readonly environment: Environment;
  /** systemd's $CREDENTIALS_DIRECTORY. */
  readonly credentialsDirectory?: string | undefined;
  /** There are credentials of the service that this user may not see: then a secret that is not found is no problem. */
  readonly credentialsHidden?: boolean;
  /** What the table [sensors] may name. */
  readonly names: SensorNames;
}

export interface LoadedConfig {
  readonly config: Config;
  /** Sentences for the log: what is unwise, though not wrong. */
  readonly warnings: readonly string[];
  /** Key to the place its value came from: "path:line", a variable's name, or "default". Never a value. */
  readonly sources: Readonly<Record<string, string>>;
  /** Key to the value that counts, as it may be shown: a secret as ***. */
  readonly values: Readonly<Record<string, string>>;
  /** The secret file that counts and is not there any more, which provisioning.after-success = "forget" allows. */
  readonly deletedSecretFile?: string;
  /** There may be a provisioning secret, where this user may not look. */
  readonly secretHidden?: true;
}

export function loadConfig(request: LoadRequest): LoadedConfig {
  const files = readTomlFiles(request.file);
  const environment = readEnvironment(request.environment);
  const reader = new Reader([
    ...files.all.flatMap(({ rawSettings }) => rawSettings),
    ...environment.rawSettings,
  ]);
  reader.problems.push(...files.all.flatMap(({ problems }) => problems), ...environment.problems);
  const fileProblem = missingFileProblem(request, files, reader);
  if (fileProblem !== undefined) reader.problems.push(fileProblem);
  else if (files.all.every(({ is }) => is !== 'broken')) requireServer(request, reader);

  const { server, warnings: serverWarnings } = readServer(request.environment, reader);
  const credentials = readCredentials({ ...request, files }, reader);
  const name = reader.last(settings.deviceName);
  const { sensors, warnings: sensorWarnings } = readSensors(
    reader,
    request.names,
    files.all.map(({ customSensors }) => customSensors),
  );
  const rest = readOtherSettings(reader);
  if (server === undefined || reader.problems.length > 0) {
    const paths = files.all.map(({ path }) => path);
    throw new ConfigError(sortBySource(reader.problems, paths));
  }
  const config: Config = {
    server,
    ...(credentials.provisioning && { provisioning: credentials.provisioning }),
    device: { ...(name !== undefined && { name }), ...(credentials.token && { token: credentials.token }) },
    sensors,
    ...rest,
  };
  const { deletedSecretFile, secretHidden } = credentials;
  const secretState = {
    ...(deletedSecretFile !== undefined && { deletedSecretFile: deletedSecretFile }),
    ...(secretHidden && { secretHidden }),
  };
  const warnings = [...serverWarnings, ...credentials.warnings, ...sensorWarnings];
  return { config, warnings, sources: reader.sources, values: reader.values, ...secretState };
}

/** What has a built-in value and nothing to do with any other setting. */
function readOtherSettings(reader: Reader): Pick<Config, 'telemetry' | 'outbox' | 'clock' | 'log'> {
  return {
    telemetry: {
      intervalMs: reader.lastOrDefault(settings.telemetryInterval),
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

/** Source by source, the files first, each from its first line to its last, as one would go through them. */
function sortBySource(problems: readonly Problem[], paths: readonly string[]): readonly Problem[] {
  const names = [...new Set([...paths, ...problems.map((each) => each.source)])];
  return [...problems].sort(
    (a, b) => names.indexOf(a.source) - names.indexOf(b.source) || (a.line ?? 0) - (b.line ?? 0),
  );
}
