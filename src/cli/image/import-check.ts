/**
 * Checks a file to import with the agent's loader, and splits it into a public configuration and secrets that only root can read.
 *
 * The text is loaded from a private scratch directory, which is in memory under systemd. Environment variables are ignored,
 * because the service does not have them.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SENSOR_NAMES } from '../../app/paths.ts';
import { ConfigError, type Problem } from '../../config/errors/problem.ts';
import { type LoadedConfig, type LoadRequest, loadConfig } from '../../config/load.ts';
import { settings } from '../../config/schema/settings.ts';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from '../../config/sources/secrets.ts';
import { readTomlFile } from '../../config/sources/toml-file.ts';
import type { ImportProblem } from '../../image/error-note.ts';
import type { CheckResult } from '../../image/import-file.ts';
import { removeSecretLines, rewriteToml, type TomlSetting } from '../../image/split-secrets.ts';
import {
  type BootCertificate,
  findBootCertificates,
  newFileOf,
  presentPath,
  withPaths,
} from './boot-certificates.ts';

export interface CheckPaths {
  /** Directory of firstlight.toml and of its drop-ins in conf.d. */
  readonly directory: string;
  /** Path of the drop-in that will contain the text. */
  readonly config: string;
  /** Directory for secrets: systemd's credential store. */
  readonly credstore: string;
  /** Directory of the credentials that systemd already passes to the service. */
  readonly credentials: string;
  /** Parent of the scratch directory, which exists only during the check. */
  readonly scratch: string;
}

const SECRET_SETTINGS = [PROVISIONING_SECRET, DEVICE_TOKEN];
const MAIN = 'firstlight.toml';
const DROP_INS = 'conf.d';
const PUBLIC = 0o644;
const SECRET = 0o600;
const SECRET_BYTES_MAX = 4 * 1024;

/** `source`: the path of the file that contains the text. */
export function checkText(text: string, source: string, paths: CheckPaths): CheckResult {
  const scratch = mkdtempSync(join(paths.scratch, 'firstlight-import-'));
  const file = join(scratch, DROP_INS, basename(paths.config));
  try {
    const main = linkExistingConfig(scratch, paths);
    writeFileSync(file, text, { mode: SECRET });
    const fileSettings = settingsIn(file);
    const certificates = findBootCertificates(fileSettings, { ...paths, source });
    writeFileSync(file, withPaths(text, certificates, presentPath));
    const presentSecrets = SECRET_SETTINGS.filter((secretSetting) =>
      fileSettings.some(({ key }) => key === secretSetting.inline.key),
    );
    // Secrets of an earlier import will be replaced, so they do not count for this file.
    const loaded = load(
      {
        file: main,
        credentialsDirectory: presentSecrets.length > 0 ? undefined : paths.credentials,
        credentialFiles: paths.credentials,
      },
      file,
    );
    const withRealPath = (sentence: string) => sentence.replaceAll(scratch, paths.directory);
    if (Array.isArray(loaded)) {
      return { ok: false, problems: loaded.map(({ line, text }) => ({ line, text: withRealPath(text) })) };
    }
    const secrets = presentSecrets.map(({ inline, credential }) => ({
      path: join(paths.credstore, credential),
      bytes: Buffer.from(fileSettings.find(({ key }) => key === inline.key)?.value ?? ''),
      mode: SECRET,
    }));
    const stale = SECRET_SETTINGS.filter(
      (secretSetting) => presentSecrets.length > 0 && !presentSecrets.includes(secretSetting),
    ).map(({ credential }) => join(paths.credstore, credential));
    const movedText = withPaths(text, certificates, ({ value }) => value);
    const movedSettings = fileSettings.map((setting) => withNewPath(setting, certificates));
    writeFileSync(file, movedText);
    const bytes = Buffer.from(splitSecrets(movedText, movedSettings, { file, credstore: paths.credstore }));
    const warnings = [
      // A boot partition keeps no modes; the key will have one.
      ...loaded.warnings
        .filter((warning) => !certificates.some((each) => each.isKey && warning.startsWith(each.source)))
        .map(withRealPath),
      ...(presentSecrets.length > 0 ? overrideWarnings(paths) : []),
    ];
    const keys = certificates.filter(({ isKey }) => isKey).map(newFileOf);
    return {
      ok: true,
      config: { path: paths.config, bytes, mode: PUBLIC },
      secrets: [...secrets, ...keys],
      certificates: certificates.filter(({ isKey }) => !isKey).map(newFileOf),
      moved: certificates.map((each) => each.source),
      stale,
      warnings,
    };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Links the other configuration files into the scratch directory. Returns the path of firstlight.toml there. */
function linkExistingConfig(scratch: string, { directory, config }: CheckPaths): string {
  const dropIns = join(directory, DROP_INS);
  mkdirSync(join(scratch, DROP_INS), { mode: 0o700 });
  for (const name of existsSync(dropIns) ? readdirSync(dropIns) : []) {
    const path = join(dropIns, name);
    if (path !== config) symlinkSync(path, join(scratch, DROP_INS, name));
  }
  const main = join(scratch, MAIN);
  if (existsSync(join(directory, MAIN))) symlinkSync(join(directory, MAIN), main);
  else writeFileSync(main, '');
  return main;
}

/** Credentials from SMBIOS or the kernel command line take precedence over the credential store (systemd.exec(5)). */
function overrideWarnings({ credentials, credstore }: CheckPaths): readonly string[] {
  return SECRET_SETTINGS.filter(({ credential }) => {
    const systemdValue = readTextFile(join(credentials, credential), SECRET_BYTES_MAX);
    const importedValue = readTextFile(join(credstore, credential), SECRET_BYTES_MAX);
    return (
      systemdValue.is === 'text' && !(importedValue.is === 'text' && importedValue.text === systemdValue.text)
    );
  }).map(
    ({ credential }) =>
      `systemd provides a different ${credential} (from SMBIOS, the kernel command line or the container manager), which takes precedence over the imported one`,
  );
}

/** True if the configuration contains a setting, or cannot be parsed. */
export function hasSettings(path: string): boolean {
  const file = readTomlFile(path);
  return file.is === 'broken' || file.rawSettings.length > 0 || file.listTables.length > 0;
}

/** Returns the configuration, or all its problems. */
function load(
  request: Pick<LoadRequest, 'file' | 'credentialsDirectory' | 'credentialFiles'>,
  file: string,
): LoadedConfig | ImportProblem[] {
  try {
    const loaded = loadConfig({ ...request, fileRequired: true, environment: {}, names: SENSOR_NAMES });
    return loaded.config.provisioning || loaded.config.device.token ? loaded : [missingCredentialsProblem()];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map((problem) => toNotedProblem(problem, file));
    throw error;
  }
}

function missingCredentialsProblem(): ImportProblem {
  const { provisioningKey: key, provisioningSecret: secret } = settings;
  return {
    text: `the gateway has no provisioning key and no token: set ${key.key} and ${secret.key} of the device profile; example: [provisioning] key = "${key.example}" secret = "${secret.example}"`,
  };
}

/** Removes the path of the scratch file, which is unknown to the user. */
function toNotedProblem({ source, line, sentence }: Problem, file: string): ImportProblem {
  if (source !== file) return { text: sentence };
  const location = line === undefined ? file : `${file}:${line}`;
  const text = sentence.startsWith(`${location}: `) ? sentence.slice(location.length + 2) : sentence;
  return { line, text: text.replaceAll(file, 'the file') };
}

function settingsIn(file: string): readonly TomlSetting[] {
  return readTomlFile(file).rawSettings.map(({ setting, raw, source }) => ({
    key: setting.key,
    value: String(raw),
    line: source.line,
  }));
}

function withNewPath(setting: TomlSetting, certificates: readonly BootCertificate[]): TomlSetting {
  const moved = certificates.find(({ source, line }) => source === setting.value && line === setting.line);
  return moved ? { ...setting, value: moved.value } : setting;
}

function splitSecrets(
  text: string,
  fileSettings: readonly TomlSetting[],
  { file, credstore }: { readonly file: string; readonly credstore: string },
): string {
  const secretSettingOf = ({ key }: TomlSetting) => SECRET_SETTINGS.find(({ inline }) => inline.key === key);
  const publicSettings = fileSettings.filter((setting) => secretSettingOf(setting) === undefined);
  const secrets = fileSettings.flatMap((setting) => {
    const secretSetting = secretSettingOf(setting);
    return secretSetting === undefined
      ? []
      : [{ ...setting, movedTo: join(credstore, secretSetting.credential) }];
  });
  const rewritten = rewriteToml(publicSettings, readTomlFile(file).listTables);
  const lines = removeSecretLines(text, secrets);
  if (lines === undefined) return rewritten;
  writeFileSync(file, lines);
  return hasSameSettings(settingsIn(file), publicSettings) ? lines : rewritten;
}

function hasSameSettings(first: readonly TomlSetting[], second: readonly TomlSetting[]): boolean {
  const canonical = (settings: readonly TomlSetting[]) =>
    settings.map(({ key, value }) => `${key}=${value}`).sort();
  return JSON.stringify(canonical(first)) === JSON.stringify(canonical(second));
}
