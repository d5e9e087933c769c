/**
 * `firstlight doctor --provision`: what the agent does at its first boot, by the agent's own code and in its order, for at most so
 * long: its lock, its store, its session, its roads. What it finds is a finding of the doctor.
 *
 * It may be cut short or killed at any moment: the intent is on the disk before the first request, and the agent goes on from
 * there. Where that is not enough, because only the server knows the token, it is left to the agent, which has all the time it
 * takes. As root it writes files for the owner of the state directory, as `credentials set` does (store/write-for-owner.ts).
 */

import { agentSettings } from '../../app/agent-settings.ts';
import { identityOf, nameOfThisGateway } from '../../app/identity.ts';
import { CannotStart } from '../../app/startup-error.ts';
import { openTransport } from '../../app/transport.ts';
import { DEADLINE, LinkedAbort } from '../../core/async/abort.ts';
import { EVENTS, halvesOf, refusalId } from '../../core/events/catalogue.ts';
import type { Config } from '../../core/model/config.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { type ProvisionedOnce, provisionOnce } from '../../core/session/provision-once.ts';
import { AlreadyRunning, acquireLock } from '../../credentials/lock.ts';
import { ConfCredentialStore } from '../../credentials/store.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { cross, dash, type Finding, tick } from '../../doctor/check.ts';
import { lacking } from '../../doctor/provisioning-check.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';
import { hostChance } from '../../host/random.ts';

export interface ProvisionPorts {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  /** How long it may take, ms. */
  readonly withinMs: number;
}

/** The usual time, s. */
export const PROVISION_S = 60;

const START_IT = 'start the agent, which waits as long as it takes: sudo systemctl start firstlight';

/** Rejects only for a bug. */
export async function provisionNow(
  config: Config,
  ports: ProvisionPorts,
  signal: AbortSignal,
): Promise<Finding> {
  if (config.device.token) return tick('not needed: the configuration gives the token; nothing was sent');
  if (config.provisioning?.credentials === 'server-generated')
    return dash(
      `nothing was sent: with provisioning.credentials = "server-generated" a request that is cut short can strand the gateway; ${START_IT}`,
    );
  try {
    await using _lock = await acquireLock(ports.state);
    return await locked(config, ports, signal);
  } catch (error) {
    if (error instanceof AlreadyRunning)
      return dash('the agent is running and does this by itself; see firstlight status');
    if (error instanceof CannotStart)
      return cross(
        error.message,
        'the gateway has no name for the server',
        'set a device.name that fits this host',
      );
    if (!(error instanceof StoreError)) throw error;
    return cross(error.message, 'nothing was sent, because nothing could be kept', RIGHTS);
  }
}

const RIGHTS = 'run it with sudo; as root, check space, rights and health of the state directory';

async function locked(
  config: Config,
  { state, clock, withinMs }: ProvisionPorts,
  stop: AbortSignal,
): Promise<Finding> {
  const told: string[] = [];
  const log = listening(told);
  using over = new LinkedAbort(stop);
  const { signal } = over;
  void clock.sleep(withinMs, signal).then(() => over.abort(DEADLINE));
  const servers = config.server.roads.map(identityOf);
  await using store = new ConfCredentialStore(
    state,
    { servers, fingerprint: boardFingerprint({ root: '/' }) },
    { clock, log },
  );
  const record = await store.read().catch((error: unknown) => {
    // Of what it could read the session has the words; what this user may not read is told by its remedy.
    if (error instanceof StoreError && error.code !== 'STORE_FAILED') return 'unreadable' as const;
    throw error;
  });
  const stored = record === 'unreadable' ? undefined : record;
  if (record !== 'unreadable' && !stored?.token && !config.provisioning)
    return lacking('no credentials and no provisioning pair; nothing was sent');
  const name =
    stored?.state === 'provisioned'
      ? stored.deviceName
      : await nameOfThisGateway(config, { log, clock, signal });
  const chance = hostChance();
  const { transport } = await openTransport(config.server, { clock, chance, log });
  await using road = transport;
  const settings = agentSettings(config, name);
  const outcome = await provisionOnce({ clock, chance, store, transport: road }, settings, signal);
  const where = `${outcome.is === 'in' ? outcome.claim.deviceName : name} at ${settings.server}`;
  const seconds = stop.aborted ? undefined : Math.round(withinMs / 1000);
  return withMore(findingOf(outcome, where, seconds), told);
}

/** `seconds`: the time that was over; undefined: somebody stopped it. */
function findingOf(outcome: ProvisionedOnce, where: string, seconds: number | undefined): Finding {
  switch (outcome.is) {
    case 'in':
      return tick(`${SAID[outcome.how]} ${where}; the agent will use this token`);
    case 'refused': {
      const event = refusalId(outcome.refusal.reason);
      const { cause, remedy } = halvesOf(EVENTS[event].sentence);
      return cross(`${where}: ${event}, ${outcome.refusal.detail}`, cause, remedy);
    }
    case 'unsaved': {
      const { cause, remedy } = halvesOf(EVENTS['FL-TOKEN-UNSAVED'].sentence);
      return cross(`${where}: FL-TOKEN-UNSAVED, ${outcome.seen}`, cause, remedy);
    }
    case 'cut short': {
      const kept = outcome.intended
        ? 'the intent is on the disk, and the agent goes on from there'
        : 'nothing was sent';
      if (seconds === undefined) return dash(`${where}: stopped before the server answered; ${kept}`);
      const { cause, remedy } = halvesOf(EVENTS['FL-SILENT'].sentence);
      return cross(`${where}: FL-SILENT, no answer in ${seconds} s`, `${cause}; ${kept}`, remedy);
    }
  }
}

const SAID = {
  earlier: 'not needed, and nothing was sent: there are credentials of',
  issued: 'provisioned, and the token is stored:',
  answered: 'an earlier request had worked, and its token is stored:',
} as const satisfies Record<(ProvisionedOnce & { is: 'in' })['how'], string>;

/** What the store and the naming tell on the way, such as that credentials were set aside. */
function listening(told: string[]): Logger {
  const hear = (message: string, fields?: { readonly [name: string]: unknown }) =>
    void told.push(`${String(fields?.['event'] ?? '')} ${halvesOf(message).cause}`);
  return { debug() {}, info: () => {}, warn: hear, error: hear };
}

function withMore(finding: Finding, told: readonly string[]): Finding {
  return told.length === 0 ? finding : { ...finding, seen: [finding.seen, ...new Set(told)].join('; ') };
}
