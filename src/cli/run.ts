/**
 * `firstlight run`: the composition root. Start-up is the list of lines below, in order; everything is wired
 * here and nowhere else.
 *
 * Exit codes: 0 after a signal, 78 (EX_CONFIG) when the configuration cannot work, 75 (EX_TEMPFAIL) when the
 * state directory cannot be had, 1 for a bug, told with its stack. What the network or the server does never
 * ends the agent.
 */

import { runAgent } from '../agent.ts';
import { loadConfig } from '../config/load.ts';
import { ConfigError } from '../config/problem.ts';
import type { Config } from '../core/config.ts';
import { Dating } from '../core/dating.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports.ts';
import { hostChance } from '../host/chance.ts';
import { hostClock } from '../host/clock.ts';
import { createFacts } from '../host/facts.ts';
import { boardFingerprint } from '../host/fingerprint.ts';
import { type Journal, openJournal } from '../host/journal.ts';
import { hostTimeSync } from '../host/time-sync.ts';
import { openSensors } from '../sensors/sampler.ts';
import { AlreadyRunning } from '../store/already-running.ts';
import { ConfCredentialStore } from '../store/credential-store.ts';
import { acquireLock, type Lock } from '../store/lock.ts';
import { StoreError } from '../store/store-error.ts';
import { CoapTransport } from '../transport/coap/transport.ts';
import { agentSettings } from './agent-settings.ts';
import { CannotStart, EX_CONFIG, EX_TEMPFAIL } from './cannot-start.ts';
import { forgetSecret } from './forget-secret.ts';
import { identityOf, nameOfThisGateway } from './naming.ts';
import { openOutbox } from './open-outbox.ts';
import { VERSION } from './version.ts';
import { watchedStore } from './watched-store.ts';

const CONFIG_FILE = '/etc/firstlight/firstlight.toml';
const STATE_DIRECTORY = '/var/lib/firstlight';

export interface RunOptions {
  readonly config?: string;
  readonly state?: string;
}

/** Runs until the signal aborts; resolves with the exit code. */
export async function runCommand(
  options: RunOptions,
  environment: NodeJS.ProcessEnv,
  out: NodeJS.WritableStream,
  signal: AbortSignal,
): Promise<number> {
  const journalled = environment['JOURNAL_STREAM'] !== undefined;
  try {
    const { config, warnings, forgottenSecretFile } = readConfig(options, environment);
    const journal = openJournal({ ...config.log, journal: journalled, clock: hostClock() });
    try {
      for (const warning of warnings) journal.warn(warning);
      const state = options.state ?? environment['STATE_DIRECTORY'] ?? STATE_DIRECTORY;
      await live(config, { state, forgottenSecretFile }, journal, signal);
      return 0;
    } catch (error) {
      if (error instanceof CannotStart) throw error;
      journal.error('a bug ended firstlight: please report it with these lines', { error: stackOf(error) });
      return 1;
    } finally {
      await journal.close();
    }
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof CannotStart)) throw error;
    // <3> is the priority "error" for the journal (sd-daemon(3)).
    for (const sentence of error.message.split('\n')) out.write(`${journalled ? '<3>' : ''}${sentence}\n`);
    return error instanceof CannotStart ? error.exitCode : EX_CONFIG;
  }
}

function readConfig(options: RunOptions, environment: NodeJS.ProcessEnv): ReturnType<typeof loadConfig> {
  return loadConfig({
    file: options.config ?? environment['FIRSTLIGHT_CONFIG'] ?? CONFIG_FILE,
    fileRequired: options.config !== undefined || environment['FIRSTLIGHT_CONFIG'] !== undefined,
    environment,
    credentialsDirectory: environment['CREDENTIALS_DIRECTORY'],
  });
}

interface Place {
  /** The state directory. */
  readonly state: string;
  /** Where the secret was, when after-success = "forget" has done its work. */
  readonly forgottenSecretFile: string | undefined;
}

/** From here on the agent lives until the signal: the wiring, in the order in which things are needed. */
async function live(config: Config, place: Place, log: Journal, signal: AbortSignal): Promise<void> {
  const clock = hostClock();
  const chance = hostChance();
  if (config.provisioning) log.redact(config.provisioning.secret);
  if (config.device.token) log.redact(config.device.token);
  await using _lock = await lockState(place.state);
  const binding = { server: identityOf(config.server), fingerprint: boardFingerprint({ root: '/' }) };
  await using conf = new ConfCredentialStore(place.state, binding, { clock, log });
  const store = watchedStore(conf, {
    token: (token) => log.redact(token),
    provisioned: () => forgetSecret(config.provisioning, log),
  });
  const record = config.device.token ? undefined : await storedRecord(store);
  if (!config.device.token) checkCanProvision(record, config, place);
  await using transport = new CoapTransport(config.server, { clock, chance });
  const mainPath = process.argv[1] ?? '';
  const facts = createFacts({ nodePath: process.execPath, mainPath, agentVersion: VERSION, clock, log });
  const sensors = openSensors({ root: '/', clock, log });
  const dating = new Dating({ clock, log, timeSync: hostTimeSync({ root: '/', clock, log }) }, config.clock);
  await using opened = await openOutbox(config, { state: place.state, clock, dating, log });
  const { outbox } = opened;
  const isNamed = config.device.token !== undefined || record?.state === 'provisioned';
  const name = isNamed ? record?.deviceName : await nameOfThisGateway(config, { log, clock, signal });
  const settings = agentSettings(config, name ?? 'named by its token');
  const { url } = config.server;
  log.info('firstlight is ready', {
    version: VERSION,
    server: url,
    state: place.state,
    waiting: outbox.size,
  });
  const ports = { clock, chance, store, transport, outbox, sensors, facts, dating, log };
  await runAgent(ports, settings, signal);
}

/**
 * Two agents on one state directory would provision one device twice; a directory that cannot even be locked
 * is no state.
 */
async function lockState(state: string): Promise<Lock> {
  try {
    return await acquireLock(state);
  } catch (error) {
    if (error instanceof AlreadyRunning || error instanceof StoreError)
      throw new CannotStart(error.message, EX_TEMPFAIL, { cause: error });
    throw error;
  }
}

/** The record, or none: a store that cannot be read may heal, and the session keeps trying. */
async function storedRecord(store: CredentialStore): Promise<CredentialRecord | undefined> {
  try {
    return await store.read();
  } catch (error) {
    if (error instanceof StoreError) return undefined;
    throw error;
  }
}

/** What no retry can heal is said before anything starts. Any token at all is worth trying. */
function checkCanProvision(record: CredentialRecord | undefined, config: Config, place: Place): void {
  if (record?.token || config.provisioning) return;
  const { state, forgottenSecretFile } = place;
  throw new CannotStart(
    forgottenSecretFile === undefined
      ? `there are no credentials in ${state} and no way to get any: set provisioning.key and provisioning.secret of the device profile`
      : `there are no credentials in ${state}, and the file of the provisioning secret, ${forgottenSecretFile}, does not exist: write the secret there again, or correct its path`,
  );
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
