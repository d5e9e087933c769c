/**
 * `firstlight doctor --provision`: provisions with the agent's own code (lock, store, session, endpoints) within a time limit.
 *
 * It can be killed at any time: the intent is on disk before the first request, and the agent continues from there. With
 * server-generated credentials that does not hold, so they are left to the agent. Root writes files for the owner of the state
 * directory (credentials/write-durably.ts).
 */

import { createAgentSettings } from '../../app/agent-instance.ts';
import { credentialServers, resolveDeviceName } from '../../app/identity.ts';
import { StartupError } from '../../app/startup-error.ts';
import { openTransport } from '../../app/transport.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { ChildAbortController, DEADLINE } from '../../core/async/abort.ts';
import { EVENTS, failureEventId, splitSentence } from '../../core/events/catalogue.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { type ProvisionOutcome, provisionWithoutAgent } from '../../core/session/provision-without-agent.ts';
import { AlreadyRunningError, acquireLock } from '../../credentials/lock.ts';
import { ConfCredentialStore } from '../../credentials/store.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { type CheckResult, fail, pass, skip } from '../../doctor/check.ts';
import { missingPairResult } from '../../doctor/provisioning-check.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';
import { hostRandom } from '../../host/random.ts';
import { warnIfVolatile } from '../../host/volatile-storage.ts';

export interface ProvisionPorts {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  /** Time limit, ms. */
  readonly timeoutMs: number;
}

/** Default time limit, s. */
export const PROVISION_S = 60;

const START_IT = 'start the agent, which waits without a time limit: sudo systemctl start firstlight';

/** Rejects only for a bug. */
export async function provisionNow(
  loaded: LoadedConfig,
  ports: ProvisionPorts,
  signal: AbortSignal,
): Promise<CheckResult> {
  const { config } = loaded;
  if (config.device.token)
    return pass('not needed: the configuration contains the credentials; nothing was sent');
  if (config.provisioning?.credentials === 'server-generated')
    return skip(
      `nothing was sent: with provisioning.credentials = "server-generated" a cancelled request can leave the gateway without its token; ${START_IT}`,
    );
  try {
    await using _lock = await acquireLock(ports.state);
    return await provisionLocked(loaded, ports, signal);
  } catch (error) {
    if (error instanceof AlreadyRunningError)
      return skip('the agent is running and provisions by itself; see firstlight status');
    if (error instanceof StartupError)
      return fail(
        error.message,
        'the gateway has no name for the server',
        'set a device.name that fits this host',
      );
    if (!(error instanceof StoreError)) throw error;
    return fail(
      error.message,
      'nothing was sent, because the agent could not store the credentials',
      PERMISSIONS_REMEDY,
    );
  }
}

const PERMISSIONS_REMEDY =
  'run with sudo; if it still fails, check free space, permissions and disk of the state directory';

async function provisionLocked(
  loaded: LoadedConfig,
  { state, clock, timeoutMs }: ProvisionPorts,
  stop: AbortSignal,
): Promise<CheckResult> {
  const warnings: string[] = [];
  const log = warningCollector(warnings);
  using controller = new ChildAbortController(stop);
  const { signal } = controller;
  void clock.sleep(timeoutMs, signal).then(() => controller.abort(DEADLINE));
  const { config } = loaded;
  warnIfVolatile(state, config, log);
  await using store = new ConfCredentialStore(
    state,
    { servers: credentialServers(loaded), fingerprint: boardFingerprint({ root: '/' }) },
    { clock, log },
  );
  const record = await store.read().catch((error: unknown) => {
    // The session reports a damaged record. A record that this user cannot read is reported by the caller.
    if (error instanceof StoreError && error.code !== 'STORE_FAILED') return 'unreadable' as const;
    throw error;
  });
  const stored = record === 'unreadable' ? undefined : record;
  if (record !== 'unreadable' && !stored?.token && !config.provisioning)
    return missingPairResult('no credentials and no provisioning key; nothing was sent');
  const name =
    stored?.state === 'provisioned'
      ? stored.deviceName
      : await resolveDeviceName(config, { log, clock, signal });
  const random = hostRandom();
  const { transport } = await openTransport(config.server, { clock, random, log });
  await using ownedTransport = transport;
  const settings = createAgentSettings(config, name);
  const outcome = await provisionWithoutAgent(
    { clock, random, store, transport: ownedTransport },
    settings,
    signal,
  );
  const subject = `${outcome.is === 'provisioned' ? outcome.identity.deviceName : name} at ${settings.server}`;
  const seconds = stop.aborted ? undefined : Math.round(timeoutMs / 1000);
  return withWarnings(checkResultOf(outcome, subject, seconds), warnings);
}

/** `seconds`: the time limit that expired; undefined if the user cancelled. */
function checkResultOf(outcome: ProvisionOutcome, subject: string, seconds: number | undefined): CheckResult {
  switch (outcome.is) {
    case 'provisioned':
      return pass(`${RESULT_TEXTS[outcome.source]} ${subject}; the agent will use this token`);
    case 'failed': {
      const event = failureEventId(outcome.failure.reason);
      const { cause, remedy } = splitSentence(EVENTS[event].sentence);
      return fail(`${subject}: ${event}, ${outcome.failure.detail}`, cause, remedy);
    }
    case 'unsaved': {
      const { cause, remedy } = splitSentence(EVENTS['FL-TOKEN-WRITE-FAILED'].sentence);
      return fail(`${subject}: FL-TOKEN-WRITE-FAILED, ${outcome.detail}`, cause, remedy);
    }
    case 'cancelled': {
      const progressText = outcome.intentRecorded
        ? 'the intent is on disk, and the agent continues from there'
        : 'nothing was sent';
      if (seconds === undefined)
        return skip(`${subject}: cancelled before the server responded; ${progressText}`);
      const { cause, remedy } = splitSentence(EVENTS['FL-SERVER-TIMEOUT'].sentence);
      return fail(
        `${subject}: FL-SERVER-TIMEOUT, no response in ${seconds} s`,
        `${cause}; ${progressText}`,
        remedy,
      );
    }
  }
}

const RESULT_TEXTS = {
  existing: 'not needed, nothing was sent: there are credentials for',
  issued: 'provisioned, and the token is stored:',
  recovered: 'an earlier request succeeded, and its token is stored:',
} as const satisfies Record<(ProvisionOutcome & { is: 'provisioned' })['source'], string>;

/** Collects what store and identity log meanwhile, such as archived credentials. */
function warningCollector(warnings: string[]): Logger {
  const collect = (message: string, fields?: { readonly [name: string]: unknown }) =>
    void warnings.push(`${String(fields?.['event'] ?? '')} ${splitSentence(message).cause}`);
  return { debug() {}, info() {}, warn: collect, error: collect };
}

function withWarnings(result: CheckResult, warnings: readonly string[]): CheckResult {
  return warnings.length === 0
    ? result
    : { ...result, observed: [result.observed, ...new Set(warnings)].join('; ') };
}
