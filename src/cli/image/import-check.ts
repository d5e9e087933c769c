/**
 * The check that an import makes of a person's file: the loader of the agent itself, and whether a gateway could get in with
 * it; then the split into a configuration that all may read and secrets that only root may.
 *
 * The loader reads files, so the text lies in a private scratch directory meanwhile, which under systemd is in memory. The
 * variables of whoever runs the import do not count: the service does not have them.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { SENSOR_NAMES } from '../../app/sensor-names.ts';
import { ConfigError, type Problem } from '../../config/errors/problem.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { settings } from '../../config/schema/settings.ts';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from '../../config/sources/secrets.ts';
import { readTomlFile } from '../../config/sources/toml-file.ts';
import type { ImportProblem } from '../../image/error-note.ts';
import type { CheckResult } from '../../image/import-file.ts';
import { removeSecretLines, rewriteToml, type TomlSetting } from '../../image/split-secrets.ts';

export interface CheckPaths {
  /** Where the agent's configuration is: firstlight.toml, and its drop-ins in conf.d. */
  readonly directory: string;
  /** Which of the drop-ins the text will be. */
  readonly config: string;
  /** Where secrets will be: systemd's credential store. */
  readonly credstore: string;
  /** Credentials that the service will have whatever is in the file. */
  readonly credentials: string;
  /** Only for as long as the check takes. */
  readonly scratch: string;
}

const SECRET_SETTINGS = [PROVISIONING_SECRET, DEVICE_TOKEN];
const MAIN = 'firstlight.toml';
const DROP_INS = 'conf.d';
const PUBLIC = 0o644;
const SECRET = 0o600;
const SECRET_BYTES_MAX = 4 * 1024;

export function checkText(text: string, paths: CheckPaths): CheckResult {
  const scratch = mkdtempSync(join(paths.scratch, 'firstlight-import-'));
  const file = join(scratch, DROP_INS, basename(paths.config));
  try {
    const main = linkExistingConfig(scratch, paths);
    writeFileSync(file, text, { mode: SECRET });
    const fileSettings = settingsIn(file);
    const presentSecrets = SECRET_SETTINGS.filter((secretSetting) =>
      fileSettings.some(({ key }) => key === secretSetting.inline.key),
    );
    // What an earlier import has left is going to be replaced, and must not be taken for this file's.
    const loaded = load({ main, file }, presentSecrets.length > 0 ? undefined : paths.credentials);
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
    const bytes = Buffer.from(splitSecrets(text, fileSettings, { file, credstore: paths.credstore }));
    const warnings = [
      ...loaded.warnings.map(withRealPath),
      ...(presentSecrets.length > 0 ? overrideWarnings(paths) : []),
    ];
    return { ok: true, config: { path: paths.config, bytes, mode: PUBLIC }, secrets, stale, warnings };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Puts what else the agent will read into the scratch directory, as links. Returns the path of its firstlight.toml there. */
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

/** What systemd hands over by a way of its own (SMBIOS, kernel command line) wins over the credential store. */
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

/** True for a configuration in which somebody has set something. */
export function hasSettings(path: string): boolean {
  const file = readTomlFile(path);
  return file.is === 'broken' || file.rawSettings.length > 0 || file.customSensors.length > 0;
}

/** The configuration, or everything that is wrong with it. */
function load(
  { main, file }: { readonly main: string; readonly file: string },
  credentialsDirectory: string | undefined,
): LoadedConfig | ImportProblem[] {
  try {
    const loaded = loadConfig({
      file: main,
      fileRequired: true,
      environment: {},
      credentialsDirectory,
      names: SENSOR_NAMES,
    });
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

/** Without the scratch file's path, which means nothing to the person. */
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
  const rewritten = rewriteToml(publicSettings, readTomlFile(file).customSensors);
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
