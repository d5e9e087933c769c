/** The checks of the systemd service: why systemd cannot start it, and whether it passes the secret of the credential store. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { CREDSTORE, type PathOptions, readableCredstore, readConfig } from '../../app/paths.ts';
import { inspectHost, type ServiceUnit, UNIT } from '../../app/service-unit.ts';
import { VERSION } from '../../app/version.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import { errorCode } from '../../core/model/error-code.ts';
import type { Check } from '../../doctor/check.ts';
import { CREDENTIAL_NAMES, credstoreCheck, type StoredSecret } from '../../doctor/credstore-check.ts';
import { serviceCheck } from '../../doctor/service-check.ts';

export function unitCheck(unit: ServiceUnit, running: string | null): Check {
  return serviceCheck((signal) => unit.read(signal), inspectHost, { running, installed: VERSION });
}

/** None if the store has no secret for the agent, or if this user cannot read it. */
export function credstoreChecks(
  unit: ServiceUnit,
  { options, environment }: CredstoreContext,
): readonly Check[] {
  const secrets = storedSecrets();
  if (secrets.length === 0) return [];
  const inspect = async (signal: AbortSignal) => {
    const state = await unit.read(signal);
    return {
      unitFiles: await unit.files(signal),
      canImportCredentials: state?.canImportCredentials ?? true,
      passedNames: state?.activeState === 'active' ? await passedNames() : undefined,
      hasOtherSource: hasOtherSource(options, environment),
    };
  };
  return [credstoreCheck(secrets, inspect)];
}

interface CredstoreContext {
  readonly options: PathOptions;
  readonly environment: NodeJS.ProcessEnv;
}

function storedSecrets(): readonly StoredSecret[] {
  if (readableCredstore() === undefined) return [];
  return [CREDSTORE, `${CREDSTORE}.encrypted`].flatMap((directory) =>
    CREDENTIAL_NAMES.map((name) => ({ name, path: join(directory, name) })).filter(({ path }) =>
      existsSync(path),
    ),
  );
}

async function passedNames(): Promise<readonly string[] | undefined> {
  try {
    return await readdir(join('/run/credentials', UNIT));
  } catch (error) {
    return errorCode(error) === 'ENOENT' ? [] : undefined;
  }
}

/** Whether the agent has a secret or token without the credentials of systemd. */
function hasOtherSource(options: PathOptions, environment: NodeJS.ProcessEnv): boolean {
  try {
    const { config } = readConfig(
      options,
      { ...environment, CREDENTIALS_DIRECTORY: undefined },
      { values: [] },
    );
    return config.device.token !== undefined || config.provisioning !== undefined;
  } catch (error) {
    if (error instanceof ConfigError) return false;
    throw error;
  }
}
