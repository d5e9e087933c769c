/**
 * Performs the action of each session state through the ports: one state in, one event out.
 *
 * The order is a promise: the intent is durable before the first request (record-intent.ts), and an issued
 * token is durable before the session uses it.
 */

import { ChildAbortController } from '../async/abort.ts';
import type { Delivery } from '../delivery/delivery.ts';
import { WAIT_MIN_MS } from '../failures/backoff.ts';
import type { FailureReason } from '../failures/failure.ts';
import type { Secret } from '../model/secret.ts';
import type { CredentialRecord } from '../ports/credentials.ts';
import { type ActionPorts, catchStoreError, type ProvisioningSettings } from './action-ports.ts';
import { recordIntent } from './record-intent.ts';
import type { DeviceIdentity, SessionEvent, SessionStep } from './state.ts';

/** Performs the action of `step` once. Resolves with its event; rejects only because of a bug. */
export async function runAction(
  step: SessionStep,
  ports: ActionPorts,
  settings: ProvisioningSettings,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<SessionEvent> {
  return step.at === 'deliver'
    ? delivery.step(step.identity.token, signal)
    : connect(step, ports, settings, signal);
}

/** The same for every step before delivery. */
export async function connect(
  step: Exclude<SessionStep, { readonly at: 'deliver' }>,
  ports: ActionPorts,
  settings: ProvisioningSettings,
  signal: AbortSignal,
): Promise<SessionEvent> {
  switch (step.at) {
    case 'load':
      return catchStoreError(async () => ({ type: 'loaded', record: await ports.store.read() }));
    case 'record-intent':
      return recordIntent(step, ports, settings);
    case 'provision':
      return provision(step.identity, ports, settings, signal);
    case 'verify-token':
      return verifyToken(step.identity.token, ports, signal);
    case 'verify-previous-token':
      return verifyToken(step.identity.previousToken, ports, signal);
    case 'save':
      return catchStoreError(async () => {
        await ports.store.write(
          provisionedRecord(step.identity.deviceName, step.identity.token, ports, settings),
        );
        return { type: 'saved' };
      });
    case 'wait':
      await waitForRetry(step, ports, settings, signal);
      return { type: 'wait-over' };
  }
}

/** What a network that returns to this host can heal. */
const HEALED_BY_NETWORK: ReadonlySet<FailureReason> = new Set([
  'server-timeout',
  'no-response-after-ack',
  'port-closed',
  'no-route',
  'dns-failed',
  'proxy-unreachable',
  'captive-portal',
]);

/**
 * Waits for the time of the step; shorter, by a random part of the spread, if the host gets a network meanwhile. The links of a town
 * return together, so no gateway may answer theirs at once.
 */
async function waitForRetry(
  { forMs, failure }: Extract<SessionStep, { readonly at: 'wait' }>,
  { clock, random, network }: ActionPorts,
  { spreadMs }: ProvisioningSettings,
  signal: AbortSignal,
): Promise<void> {
  if (!network || !HEALED_BY_NETWORK.has(failure.reason) || failure.retryAfterMs !== undefined)
    return clock.sleep(forMs, signal);
  const dueMs = clock.monotonicMs() + forMs;
  using over = new ChildAbortController(signal);
  await Promise.race([clock.sleep(forMs, over.signal), network.nextConnection(over.signal)]);
  const leftMs = dueMs - clock.monotonicMs();
  await clock.sleep(Math.min(leftMs, WAIT_MIN_MS + random.uniform() * spreadMs), signal);
  over.abort();
}

async function verifyToken(token: Secret, ports: ActionPorts, signal: AbortSignal): Promise<SessionEvent> {
  const result = await ports.transport.probe(token, signal);
  return result.ok
    ? { type: 'token-verified', accepted: result.value }
    : { type: 'failed', failure: result.failure };
}

async function provision(
  identity: DeviceIdentity,
  ports: ActionPorts,
  settings: ProvisioningSettings,
  signal: AbortSignal,
): Promise<SessionEvent> {
  const { pair } = settings;
  if (!pair)
    return {
      type: 'failed',
      failure: { reason: 'provisioning-key-missing', detail: 'no provisioning key and secret' },
    };
  let issuedToken: Secret | undefined;
  const persist = (token: Secret): Promise<void> => {
    issuedToken = token;
    return ports.store.write(provisionedRecord(identity.deviceName, token, ports, settings));
  };
  const event = await catchStoreError(async () => {
    const request = { ...identity, key: pair.key, secret: pair.secret };
    const result = await ports.transport.provision(request, persist, signal);
    return result.ok
      ? { type: 'token-issued', token: result.value }
      : { type: 'failed', failure: result.failure };
  });
  // The server does not repeat this token: the session keeps it in memory until it is stored.
  if (event.type === 'failed' && issuedToken)
    return { type: 'token-unsaved', token: issuedToken, failure: event.failure };
  return event;
}

function provisionedRecord(
  deviceName: string,
  token: Secret,
  ports: ActionPorts,
  settings: ProvisioningSettings,
): CredentialRecord {
  return { state: 'provisioned', server: settings.server, deviceName, token, sinceMs: ports.clock.wallMs() };
}
