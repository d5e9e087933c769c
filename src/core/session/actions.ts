/**
 * Performs the action of each session state through the ports: one state in, one event out.
 *
 * The order is a promise: the intent is durable before the first request, and an issued token is durable
 * before the session uses it. A failure of the store is a `Failure` like any other, so the agent continues
 * sampling.
 */

import type { Delivery } from '../delivery/delivery.ts';
import type { FailureReason } from '../failures/failure.ts';
import { errorCode } from '../model/error-code.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialRecord, CredentialStore } from '../ports/credentials.ts';
import type { Random } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { DeviceIdentity, SessionEvent, SessionStep } from './state.ts';

export interface ActionPorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly store: CredentialStore;
  readonly transport: Transport;
}

export interface ProvisioningSettings {
  readonly server: string;
  readonly deviceName: string;
  /** The first request waits a random part of this, ms. */
  readonly spreadMs: number;
  /** Absent: this gateway cannot provision, and the agent starts only if there are credentials. */
  readonly pair?: { readonly key: string; readonly secret: Secret; readonly deviceGenerated: boolean };
}

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
      await ports.clock.sleep(step.forMs, signal);
      return { type: 'wait-over' };
  }
}

async function verifyToken(token: Secret, ports: ActionPorts, signal: AbortSignal): Promise<SessionEvent> {
  const result = await ports.transport.probe(token, signal);
  return result.ok
    ? { type: 'token-verified', accepted: result.value }
    : { type: 'failed', failure: result.failure };
}

/**
 * A gateway whose token was revoked keeps its registered name, even if the configuration has another one now.
 */
async function recordIntent(
  { revoked, proposed }: SessionStep & { at: 'record-intent' },
  ports: ActionPorts,
  settings: ProvisioningSettings,
): Promise<SessionEvent> {
  const { server, pair } = settings;
  const deviceName = revoked?.deviceName ?? settings.deviceName;
  const token = proposed ?? (pair?.deviceGenerated ? ports.random.mintToken() : undefined);
  const identity: DeviceIdentity = {
    deviceName,
    ...(token && { token }),
    ...(revoked && { previousToken: revoked.token }),
  };
  return catchStoreError(async () => {
    await ports.store.write({ state: 'pending', server, sinceMs: ports.clock.wallMs(), ...identity });
    return { type: 'intent-recorded', identity };
  });
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

/** Turns a StoreError into a failure with the message of the store. */
async function catchStoreError(action: () => Promise<SessionEvent>): Promise<SessionEvent> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StoreError') throw error;
    return { type: 'failed', failure: { reason: failureReasonOf(error), detail: error.message } };
  }
}

function failureReasonOf(error: Error): FailureReason {
  switch (errorCode(error)) {
    case 'CREDENTIALS_DAMAGED':
      return 'credentials-unreadable';
    case 'CREDENTIALS_NEWER':
      return 'credentials-newer';
    default:
      return 'credentials-storage-failed';
  }
}
