/**
 * Checks whether every clone of an image can provision as a device of its own. Returns one sentence for each problem.
 *
 * Uses the agent's loader on the files of the image, including its systemd credentials and secret files below its root.
 */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { CREDSTORE, SENSOR_NAMES } from '../../app/paths.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from '../../config/sources/secrets.ts';
import { readTomlFile } from '../../config/sources/toml-file.ts';
import { rewriteToml, type TomlSetting } from '../../image/split-secrets.ts';
import { CONFIG_DIRECTORY } from './import-command.ts';

/** Path of the configuration below the root. */
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

/** Links the file to `target`, or copies it with its secret file paths changed from the image's root to this host's. */
function relocateSecretPaths(root: string, file: string, target: string): void {
  mkdirSync(dirname(target), { recursive: true });
  const { rawSettings, listTables, problems } = readTomlFile(file);
  const namesSecretFiles = rawSettings.some(({ setting }) => FILE_KEYS.includes(setting.key));
  const isRewritable = problems.length === 0 && rawSettings.every(({ raw }) => typeof raw === 'string');
  if (!namesSecretFiles || !isRewritable) {
    if (existsSync(file)) symlinkSync(file, target);
    return;
  }
  const settings = rawSettings.map(({ setting, raw }): TomlSetting => {
    const value = String(raw);
    return { key: setting.key, value: FILE_KEYS.includes(setting.key) ? join(root, value) : value };
  });
  writeFileSync(target, rewriteToml(settings, listTables), { mode: 0o600 });
}

function cloneProblems({ config, deletedSecretFile }: LoadedConfig): readonly string[] {
  const problems: string[] = [];
  const { token, name, isCertificate } = config.device;
  if (isCertificate) {
    problems.push(
      `${CONFIG_FILE}: server.cert-file is the credentials of the device, so every clone would be the same device: use provisioning instead, or give each clone a certificate of its own`,
    );
  } else if (token) {
    problems.push(
      `${CONFIG_FILE}: a fixed access token is configured, so every clone would be the same device: use provisioning instead`,
    );
  } else if (deletedSecretFile !== undefined) {
    problems.push(
      `${deletedSecretFile}: the provisioning secret was deleted after provisioning, so no clone could provision: write it there again`,
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
