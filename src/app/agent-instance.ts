/**
 * A stint: the agent's loops with one configuration, until another one counts or the agent stops.
 *
 * What hangs on the configuration is made here and disposed of at the end: the credential store, which is bound to the
 * server, the road to it, the name. What outlives it (`Lasting`) is only borrowed: the readings that wait go over to the
 * next stint where they are, without a write, and what was under way and not answered is sent again with the same dates.
 */

import { type AgentPorts, runLoops } from '../agent/agent.ts';
import type { Loaded } from '../config/load.ts';
import { together } from '../core/async/tasks.ts';
import { tell } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import type { Clock } from '../core/ports/clock.ts';
import type { CredentialRecord, CredentialStore } from '../core/ports/credentials.ts';
import type { Outbox } from '../core/ports/outbox.ts';
import type { Chance } from '../core/ports/random.ts';
import type { HostFacts } from '../core/ports/sensors.ts';
import type { ServiceManager } from '../core/ports/service-manager.ts';
import type { Tally } from '../core/status/counters.ts';
import type { Dating } from '../core/timestamps/timestamper.ts';
import { ConfCredentialStore } from '../credentials/store.ts';
import { StoreError } from '../credentials/store-error.ts';
import { boardFingerprint } from '../host/hardware/fingerprint.ts';
import type { Journal } from '../host/log/logger.ts';
import { agentSettings } from './agent-settings.ts';
import { watchedStore } from './credential-hooks.ts';
import { forgetSecret } from './delete-secret.ts';
import { identityOf, nameOfThisGateway } from './identity.ts';
import type { ClearRoads } from './plaintext-warnings.ts';
import type { SensorSuite } from './sensors.ts';
import { CannotStart } from './startup-error.ts';
import { openTransport } from './transport.ts';
import { VERSION } from './version.ts';

/** What lives longer than one configuration. */
export interface Lasting {
  /** The state directory. */
  readonly state: string;
  readonly clock: Clock;
  readonly chance: Chance;
  readonly log: Journal;
  readonly suite: SensorSuite;
  readonly clearRoads: ClearRoads;
  readonly facts: HostFacts;
  readonly service: ServiceManager | undefined;
  readonly board: AgentPorts['board'];
  readonly dating: Dating;
  readonly outbox: Outbox & { readonly size: number };
  readonly tally: Tally;
}

/** The wiring, in the order in which things are needed. Rejects with CannotStart before any loop has begun. */
export async function stint(loaded: Loaded, lasting: Lasting, signal: AbortSignal): Promise<void> {
  const { config } = loaded;
  const { state, clock, chance, log, outbox, tally } = lasting;
  log.restyle(config.log);
  if (config.provisioning) log.redact(config.provisioning.secret);
  if (config.device.token) log.redact(config.device.token);
  for (const { proxy } of config.server.roads) {
    for (const secret of [proxy?.authorization, proxy?.password]) if (secret) log.redact(secret);
  }
  const binding = {
    servers: config.server.roads.map(identityOf),
    fingerprint: boardFingerprint({ root: '/' }),
  };
  await using conf = new ConfCredentialStore(state, binding, { clock, log });
  const store = watchedStore(conf, {
    token: (token) => log.redact(token),
    provisioned: () => forgetSecret(config.provisioning, log),
  });
  const stored = config.device.token ? undefined : await storedRecord(store);
  if (!config.device.token && stored !== 'unreadable') checkCanProvision(stored, loaded, state);
  const record = stored === 'unreadable' ? undefined : stored;
  const onRoundTrip = (ms: number) => tally.heard(ms);
  const ports = { clock, chance, log, onRoundTrip };
  const { transport: opened, road } = await openTransport(config.server, ports);
  await using transport = opened;
  const isNamed = config.device.token !== undefined || record?.state === 'provisioned';
  const name = isNamed ? record?.deviceName : await nameOfThisGateway(config, { log, clock, signal });
  const settings = agentSettings(config, name ?? 'named by its token');
  // What the stint before took and was not told about is there to be taken again.
  for (const lane of [outbox.fresh, outbox.backlog]) lane.rewind();
  const server = config.server.roads.map(({ url }) => url).join(',');
  tell(log, 'FL-READY', { version: VERSION, server, state, waiting: outbox.size });
  void lasting.clearRoads.warn(config.server.roads, signal);
  const { sensors, keep } = lasting.suite.as(config.sensors);
  const loops = (stop: AbortSignal) =>
    runLoops({ ...lasting, sensors, store, transport, road }, settings, stop);
  await together([loops, keep], signal);
}

/** A store that cannot be read is not an empty one and may heal: the session says why, and keeps trying. */
async function storedRecord(store: CredentialStore): Promise<CredentialRecord | undefined | 'unreadable'> {
  try {
    return await store.read();
  } catch (error) {
    if (error instanceof StoreError) return 'unreadable';
    throw error;
  }
}

/** What no retry can heal is said before anything starts. Any token at all is worth trying. */
function checkCanProvision(
  record: CredentialRecord | undefined,
  { config, forgottenSecretFile }: { readonly config: Config; readonly forgottenSecretFile?: string },
  state: string,
): void {
  if (record?.token || config.provisioning) return;
  throw new CannotStart(
    'FL-NO-PAIR-NO-TOKEN',
    forgottenSecretFile === undefined
      ? `there are no credentials in ${state} and no way to get any: set provisioning.key and provisioning.secret of the device profile`
      : `there are no credentials in ${state}, and the file of the provisioning secret, ${forgottenSecretFile}, does not exist: write the secret there again, or correct its path`,
  );
}
