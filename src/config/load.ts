/**
 * Loads the configuration: built-in defaults, then the file, then the environment; what comes later wins. (The
 * secret has an order of its own: secrets.ts.) Either a complete Config leaves, or a ConfigError with every
 * problem there is.
 *
 * Left to others: whether a gateway without credentials has a provisioning pair (the run command), and what the
 * templates in a device name stand for.
 */

import type { Config } from '../core/config.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { exampleFor, Reader } from './given.ts';
import { ConfigError, type Problem, problemAt, type Source } from './problem.ts';
import { type Setting, settings, variableOf } from './schema.ts';
import { findSecret, openFileWarning } from './secrets.ts';
import { readTomlFile, type TomlFile } from './toml-file.ts';

export interface LoadRequest {
  readonly file: string;
  /** False for the default path, whose absence is fine when the environment names the server. */
  readonly fileRequired: boolean;
  readonly environment: Environment;
  /** systemd's $CREDENTIALS_DIRECTORY. */
  readonly credentialsDirectory?: string | undefined;
}

export interface Loaded {
  readonly config: Config;
  /** Sentences for the log: what is unwise, though not wrong. */
  readonly warnings: readonly string[];
  /** Key to the place its value came from: "path:line", a variable's name, or "default". Never a value. */
  readonly sources: Readonly<Record<string, string>>;
}

export function loadConfig(request: LoadRequest): Loaded {
  const file = readTomlFile(request.file);
  const environment = readEnvironment(request.environment);
  const reader = new Reader([...file.given, ...environment.given]);
  reader.problems.push(...file.problems, ...environment.problems);
  const missing = missingFile(request, file, reader);
  if (missing !== undefined) reader.problems.push(missing);
  else if (file.is !== 'broken') requireServer(request, reader);

  const warnings: string[] = [];
  const server = reader.last(settings.serverUrl);
  const spreadMs = reader.lastOrDefault(settings.serverSpread);
  const provisioning = readProvisioning(request, file, reader, warnings);
  const name = reader.last(settings.deviceName);
  const intervalMs = reader.lastOrDefault(settings.telemetryInterval);
  const level = reader.lastOrDefault(settings.logLevel);
  const format = reader.lastOrDefault(settings.logFormat);
  if (server === undefined || reader.problems.length > 0) throw new ConfigError(inOrder(reader.problems));
  const config: Config = {
    server: { ...server, spreadMs },
    ...(provisioning === undefined ? {} : { provisioning }),
    device: name === undefined ? {} : { name },
    telemetry: { intervalMs },
    log: { level, format },
  };
  return { config, warnings, sources: reader.sources };
}

function missingFile(request: LoadRequest, file: TomlFile, reader: Reader): Problem | undefined {
  if (file.is !== 'missing') return undefined;
  if (!request.fileRequired && reader.isGiven(settings.serverUrl)) return undefined;
  const lines = `# ${request.file}\n[server]\n${exampleFor(settings.serverUrl, { via: 'file' })}`;
  const what = `does not exist; create it with these lines:\n${lines}`;
  return problemAt({ name: request.file, via: 'file' }, { what });
}

function requireServer(request: LoadRequest, reader: Reader): void {
  if (reader.isGiven(settings.serverUrl)) return;
  reader.problems.push(absent(settings.serverUrl, { name: request.file, via: 'file' }, 'is missing'));
}

function readProvisioning(
  request: LoadRequest,
  file: TomlFile,
  reader: Reader,
  warnings: string[],
): Config['provisioning'] {
  const key = reader.last(settings.provisioningKey);
  const credentials = reader.lastOrDefault(settings.provisioningCredentials);
  const found = findSecret(reader, request.credentialsDirectory);
  warnings.push(...(found?.warnings ?? []));
  const inFile = file.given.some((each) => each.setting === settings.provisioningSecret);
  if (inFile && file.open) warnings.push(openFileWarning(request.file));

  const keyGiven = reader.isGiven(settings.provisioningKey);
  const secretGiven =
    found !== undefined ||
    reader.isGiven(settings.provisioningSecret) ||
    reader.isGiven(settings.provisioningSecretFile);
  if (file.is !== 'broken' && keyGiven !== secretGiven) {
    const [there, lacking] = keyGiven
      ? [settings.provisioningKey, settings.provisioningSecretFile]
      : [settings.provisioningSecret, settings.provisioningKey];
    reader.problems.push(halfPair(request, file, there, lacking));
  }
  if (key === undefined || found?.secret === undefined) return undefined;
  return { key, secret: found.secret, credentials };
}

function halfPair(request: LoadRequest, file: TomlFile, there: Setting, lacking: Setting): Problem {
  const source: Source =
    file.is === 'read'
      ? { name: request.file, via: 'file' }
      : { name: variableOf(lacking), via: 'environment' };
  return absent(lacking, source, `is missing, though ${there.key} is given`);
}

function absent(setting: Setting, source: Source, what: string): Problem {
  const { key, bound } = setting;
  return problemAt(source, { what, key, bound, example: exampleFor(setting, source) });
}

/** Source by source, each from its first line to its last, as one would go through them. */
function inOrder(problems: readonly Problem[]): readonly Problem[] {
  const names = [...new Set(problems.map((each) => each.source))];
  return [...problems].sort(
    (a, b) => names.indexOf(a.source) - names.indexOf(b.source) || (a.line ?? 0) - (b.line ?? 0),
  );
}
