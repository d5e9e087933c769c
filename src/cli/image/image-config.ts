/**
 * Would the configuration of an image let every one of its clones in, each as a device of its own? Sentences that say
 * what is wrong; none when it would.
 *
 * The loader is the agent's own, on the image's files: also the secrets that systemd would hand over, and files of secrets,
 * whose paths are meant below the image's root.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { SENSOR_NAMES } from '../../app/sensor-names.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from '../../config/sources/secrets.ts';
import { readTomlFile } from '../../config/sources/toml-file.ts';
import { rewriteToml, type TomlSetting } from '../../image/split-secrets.ts';
import { CONFIG_DIRECTORY, CREDSTORE } from './import.ts';

/** Where the configuration is, below the root. */
export const CONFIG_FILE = join(CONFIG_DIRECTORY, 'firstlight.toml');
const MAIN = 'firstlight.toml';
const DROP_INS = 'conf.d';
const FILE_KEYS: readonly string[] = [PROVISIONING_SECRET.file.key, DEVICE_TOKEN.file.key];

export function imageConfigProblems(root: string): readonly string[] {
  const directory = join(root, CONFIG_DIRECTORY);
  if (root === '/') return problemsIn(directory, root);
  const scratch = mkdtempSync(join(tmpdir(), 'firstlight-image-'));
  try {
    for (const name of [MAIN, ...listDropIns(directory)])
      relocateSecretPaths(root, join(directory, name), join(scratch, name));
    return problemsIn(scratch, root).map((sentence) => sentence.replaceAll(scratch, directory));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function problemsIn(directory: string, root: string): readonly string[] {
  try {
    return cloneProblems(
      loadConfig({
        file: join(directory, MAIN),
        fileRequired: false,
        environment: {},
        credentialsDirectory: join(root, CREDSTORE),
        names: SENSOR_NAMES,
      }),
    );
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ sentence }) => sentence);
  }
}

function listDropIns(directory: string): readonly string[] {
  const dropIns = join(directory, DROP_INS);
  return existsSync(dropIns) ? readdirSync(dropIns).map((name) => join(DROP_INS, name)) : [];
}

/** A link to the file; where it names files of secrets by paths of the image, a copy that names them by paths of this host. */
function relocateSecretPaths(root: string, file: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  const { rawSettings: settingsInFile, customSensors: customTables, problems } = readTomlFile(file);
  const namesFiles = settingsInFile.some(({ setting }) => FILE_KEYS.includes(setting.key));
  const isRewritable = problems.length === 0 && settingsInFile.every(({ raw }) => typeof raw === 'string');
  if (!namesFiles || !isRewritable) {
    if (existsSync(file)) symlinkSync(file, target);
    return;
  }
  const settings = settingsInFile.map(({ setting, raw }): TomlSetting => {
    const value = String(raw);
    return { key: setting.key, value: FILE_KEYS.includes(setting.key) ? join(root, value) : value };
  });
  writeFileSync(target, rewriteToml(settings, customTables), { mode: 0o600 });
}

function cloneProblems({ config, deletedSecretFile: forgottenSecretFile }: LoadedConfig): readonly string[] {
  const problems: string[] = [];
  const { token, name } = config.device;
  if (token) {
    problems.push(
      `${CONFIG_FILE}: a fixed access token is configured, so every clone would be the same device: use provisioning instead`,
    );
  } else if (forgottenSecretFile !== undefined) {
    problems.push(
      `${forgottenSecretFile}: the provisioning secret was deleted after provisioning, so no clone could provision: write it there again`,
    );
  } else if (!config.provisioning) {
    problems.push(
      `${CONFIG_FILE}: there is no provisioning key, so no clone could provision: set provisioning.key and provisioning.secret`,
    );
  }
  if (!token && name !== undefined && !/\{(serial|machineId|mac|hostname)\}/.test(name)) {
    problems.push(
      `${CONFIG_FILE}: device.name is the same for every clone, so the server accepts only the first one: add {serial} to it, or remove the setting`,
    );
  }
  return problems;
}
