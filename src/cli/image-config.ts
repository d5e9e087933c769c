/**
 * Would the configuration of an image let every one of its clones in, each as a device of its own? Sentences that say
 * what is wrong; none when it would.
 *
 * The loader is the agent's own, on the image's files: also the secrets that systemd would hand over, and files of secrets,
 * whose paths are meant below the image's root.
 */

import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Loaded, loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import { DEVICE_TOKEN, PROVISIONING_SECRET } from '../config/secrets.ts';
import { readTomlFile } from '../config/toml-file.ts';
import { type GivenSetting, writtenAnew } from '../image/split-secrets.ts';
import { CONFIG_DIRECTORY, CREDSTORE } from './import.ts';

/** Where the configuration is, below the root. */
export const CONFIG_FILE = join(CONFIG_DIRECTORY, 'firstlight.toml');
const FILE_SETTINGS: readonly string[] = [PROVISIONING_SECRET.file.key, DEVICE_TOKEN.file.key];

export function imageConfigProblems(root: string): readonly string[] {
  try {
    return cloneProblems(root === '/' ? load(CONFIG_FILE, root) : loadBelow(root));
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ sentence }) => sentence);
  }
}

function load(file: string, root: string): Loaded {
  return loadConfig({
    file,
    fileRequired: true,
    environment: {},
    credentialsDirectory: join(root, CREDSTORE),
  });
}

/** An absolute path in the image's file is one of the image, not of this host. */
function loadBelow(root: string): Loaded {
  const file = join(root, CONFIG_FILE);
  const { given, problems } = readTomlFile(file);
  const namesFiles = given.some(({ setting }) => FILE_SETTINGS.includes(setting.key));
  const isPlain = problems.length === 0 && given.every(({ raw }) => typeof raw === 'string');
  if (!namesFiles || !isPlain) return load(file, root);
  const scratch = mkdtempSync(join(tmpdir(), 'firstlight-image-'));
  try {
    const moved = join(scratch, 'firstlight.toml');
    const settings = given.map(({ setting, raw }): GivenSetting => {
      const value = String(raw);
      return { key: setting.key, value: FILE_SETTINGS.includes(setting.key) ? join(root, value) : value };
    });
    writeFileSync(moved, writtenAnew(settings), { mode: 0o600 });
    symlinkSync(join(root, CONFIG_DIRECTORY, 'conf.d'), join(scratch, 'conf.d'));
    return load(moved, root);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function cloneProblems({ config, forgottenSecretFile }: Loaded): readonly string[] {
  const problems: string[] = [];
  const { token, name } = config.device;
  if (token) {
    problems.push(
      `${CONFIG_FILE}: a fixed access token is configured: every clone would be the same device; use provisioning`,
    );
  } else if (forgottenSecretFile !== undefined) {
    problems.push(
      `${forgottenSecretFile}: the provisioning secret was forgotten after success: no clone could provision; write it there again`,
    );
  } else if (!config.provisioning) {
    problems.push(
      `${CONFIG_FILE}: there is no provisioning pair: no clone could provision; set provisioning.key and provisioning.secret`,
    );
  }
  if (!token && name !== undefined && !/\{(serial|machineId|mac|hostname)\}/.test(name)) {
    problems.push(
      `${CONFIG_FILE}: device.name is the same for every clone, and the server lets only the first one in; put {serial} into it, or leave it out`,
    );
  }
  return problems;
}
