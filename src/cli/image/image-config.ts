/**
 * Checks whether every clone of an image can provision as a device of its own. Returns one sentence for each problem.
 *
 * Uses the agent's loader on the files of the image, including its systemd credentials and the files that settings name.
 */

import { join } from 'node:path';
import { CREDSTORE, SENSOR_NAMES } from '../../app/paths.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import { type LoadedConfig, loadConfig } from '../../config/load.ts';
import { locateInImage } from '../../image/locate.ts';
import { certificateFileProblems } from './certificate-files.ts';
import { CONFIG_DIRECTORY } from './import-command.ts';

/** Path of the configuration below the root. */
export const CONFIG_FILE = join(CONFIG_DIRECTORY, 'firstlight.toml');

export function imageConfigProblems(root: string): readonly string[] {
  const locate = (path: string) => locateInImage(root, path);
  try {
    const loaded = loadConfig({
      file: CONFIG_FILE,
      locate,
      fileRequired: false,
      environment: {},
      credentialsDirectory: CREDSTORE,
      names: SENSOR_NAMES,
    });
    return [...cloneProblems(loaded), ...certificateFileProblems(root, loaded.certificateFiles)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ sentence }) => sentence);
  }
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
