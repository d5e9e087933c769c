/**
 * `firstlight credentials`: `show` prints everything except the token, `forget` makes the next start provision again, `set` stores
 * a token of an existing device. Changes need the agent's lock and are durable: old credentials are archived, never deleted, and
 * a power cut leaves either the old or the new ones. Exit codes: 0 done, 1 nothing to do or declined, 64 wrong usage, 75 locked or
 * unusable, 78 invalid configuration.
 */

import { createHash } from 'node:crypto';
import { EX_CONFIG, EX_FAILED, EX_OK, EX_TEMPFAIL, EX_USAGE } from '../../app/exit-codes.ts';
import { credentialServers, resolveDeviceName } from '../../app/identity.ts';
import { type PathOptions, readServiceConfig, stateDirectory } from '../../app/paths.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import { readTextFile } from '../../config/sources/read-text-file.ts';
import { endpointId } from '../../config/values/server-url.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import { Secret } from '../../core/model/secret.ts';
import { TOKEN_PATTERN } from '../../core/thingsboard.ts';
import {
  archiveRecord,
  forgetEarlierRecords,
  inspectRecord,
  type RecordInspection,
} from '../../credentials/inspect.ts';
import { AlreadyRunningError, acquireLock } from '../../credentials/lock.ts';
import { ConfCredentialStore } from '../../credentials/store.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';
import { openLogger } from '../../host/log/logger.ts';
import { type Console, confirm } from '../ui/confirm.ts';

export interface CredentialsOptions extends PathOptions {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly tokenFile?: string;
}

interface Host {
  readonly environment: NodeJS.ProcessEnv;
  readonly console: Console;
}

const TOKEN_FILE_BYTES_MAX = 4096;

export async function showCredentials(options: CredentialsOptions, host: Host): Promise<number> {
  return reportErrors(host, async (writeLine) => {
    const state = stateDirectory(options, host.environment);
    const inspection = await inspectRecord(state);
    const fields = recordFields(inspection);
    if (options.json) writeLine(JSON.stringify({ schema: 1, directory: state, ...fields }, undefined, 2));
    else for (const [label, text] of Object.entries(fields)) writeLine(`${label.padEnd(12)} ${text}`);
    return inspection.is === 'good' ? EX_OK : EX_FAILED;
  });
}

/** Without the token: the first digits of a digest distinguish two tokens and reveal neither. */
function recordFields(inspection: RecordInspection): Readonly<Record<string, string>> {
  if (inspection.is !== 'good') return { state: inspection.is === 'absent' ? 'none' : inspection.problem };
  const { record, fingerprint } = inspection;
  const ageMs = Math.max(0, Date.now() - record.sinceMs);
  return {
    state: record.state === 'pending' ? 'requested, not yet confirmed by the server' : 'stored',
    device: record.deviceName,
    server: record.server,
    since: `${new Date(record.sinceMs).toISOString()} (${formatDuration(ageMs)} ago)`,
    token: record.token
      ? `*** (sha256 begins ${tokenDigest(record.token)})`
      : 'none: the server generates it',
    board: fingerprint.length > 0 ? fingerprint.join(' ') : 'unknown',
    file: inspection.file,
  };
}

function tokenDigest(token: Secret): string {
  return createHash('sha256').update(`firstlight token ${token.reveal()}`).digest('hex').slice(0, 8);
}

export async function forgetCredentials(
  options: CredentialsOptions,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  return reportErrors(host, async (writeLine) => {
    const state = stateDirectory(options, host.environment);
    await using _lock = await acquireLock(state);
    const inspection = await inspectRecord(state);
    if (inspection.is === 'absent') {
      writeLine(`There are no credentials in ${state}.`);
      return EX_FAILED;
    }
    for (const line of consequenceLines(inspection)) writeLine(line);
    if (!options.yes) {
      if (!host.console.input.isTTY) {
        writeLine('Input is not a terminal: confirm with --yes. Nothing was changed.');
        return EX_USAGE;
      }
      if (!(await confirm(host.console, 'Forget the credentials? [y/N] ', signal))) {
        writeLine('Nothing was changed.');
        return EX_FAILED;
      }
    }
    const archivedBefore =
      inspection.is === 'good' ? await forgetEarlierRecords(state, inspection, Date.now()) : [];
    const archived = [...(await archiveRecord(state, Date.now())), ...archivedBefore];
    writeLine(
      `Forgotten. The old credentials are archived as ${archived.join(' and ')} in ${state}; delete the archive when it is no longer needed.`,
    );
    return EX_OK;
  });
}

function consequenceLines(inspection: RecordInspection): readonly string[] {
  const device = inspection.is === 'good' ? inspection.record.deviceName : undefined;
  return [
    `This forgets ${device === undefined ? 'unreadable credentials' : `the credentials of ${device} on ${inspection.is === 'good' ? inspection.record.server : ''}`}.`,
    'At its next start, the agent provisions again with provisioning.key and provisioning.secret, under the same name if device.name is unchanged.',
    `The server declines a name that exists: delete the device${device === undefined ? '' : ` ${device}`} in ThingsBoard first (for a pre-provisioned device, its server attribute provisionState).`,
    'A fixed token (device.token, firstlight.token) stays in use.',
  ];
}

export async function setCredentials(
  options: CredentialsOptions,
  host: Host,
  signal: AbortSignal,
): Promise<number> {
  return reportErrors(host, async (writeLine) => {
    const token = readToken(options.tokenFile ?? '', writeLine);
    if (token === undefined) return EX_USAGE;
    const { loaded } = await readServiceConfig(options, host.environment);
    const { config } = loaded;
    const state = stateDirectory(options, host.environment);
    const clock = hostClock();
    const log = openLogger({ level: 'warn', format: 'text', isJournald: false, clock });
    log.redact(token);
    await using _lock = await acquireLock(state);
    const inspection = await inspectRecord(state);
    const deviceName =
      inspection.is === 'good'
        ? inspection.record.deviceName
        : await resolveDeviceName(config, { log, clock, signal });
    const archived = inspection.is === 'absent' ? [] : await archiveRecord(state, clock.wallMs(), 'link');
    const server = endpointId(config.server.endpoints[0]);
    await using store = new ConfCredentialStore(
      state,
      { servers: credentialServers(loaded), fingerprint: boardFingerprint({ root: '/' }) },
      { clock, log },
    );
    await store.write({ state: 'provisioned', server, deviceName, token, sinceMs: clock.wallMs() });
    await log.close();
    if (archived.length > 0)
      writeLine(`The old credentials are archived as ${archived.join(' and ')} in ${state}.`);
    writeLine(
      `Stored for ${deviceName} on ${server}. Start the agent: sudo systemctl start firstlight; then delete ${options.tokenFile}.`,
    );
    return EX_OK;
  });
}

function readToken(path: string, writeLine: (line: string) => void): Secret | undefined {
  const file = readTextFile(path, TOKEN_FILE_BYTES_MAX);
  if (file.is !== 'text') {
    writeLine(
      `${path} ${file.is === 'missing' ? 'does not exist' : file.what}: name a file that contains only the token`,
    );
    return undefined;
  }
  const text = file.text.replace(/\r?\n$/, '');
  if (TOKEN_PATTERN.test(text)) return new Secret(text);
  writeLine(
    `${path} does not contain an access token: it must be 1 to 255 printable ASCII characters without space, / or ?`,
  );
  return undefined;
}

async function reportErrors(
  { console }: Host,
  operation: (writeLine: (line: string) => void) => Promise<number>,
): Promise<number> {
  const writeLine = (line: string) => void console.out.write(`${line}\n`);
  try {
    return await operation(writeLine);
  } catch (error) {
    if (error instanceof AlreadyRunningError) {
      writeLine(
        `The agent is running, so nothing was changed. Stop it first: sudo systemctl stop firstlight. (${error.message})`,
      );
      return EX_TEMPFAIL;
    }
    if (!(error instanceof StoreError || error instanceof ConfigError)) throw error;
    writeLine(error.message);
    return error instanceof ConfigError ? EX_CONFIG : EX_TEMPFAIL;
  }
}
