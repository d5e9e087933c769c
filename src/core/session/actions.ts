/**
 * What each state of the session does, through the ports: one state in, one event out.
 *
 * The order of the lines is the promise: the intent is durable before the first request, and the issued token
 * is durable before the session believes in it. A store that fails is a refusal like any other, so the agent
 * goes on sampling.
 */

import type { Delivery } from '../delivery/delivery.ts';
import type { RefusalReason } from '../failures/failure.ts';
import { errorCode } from '../model/error-code.ts';
import type { Secret } from '../model/secret.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialRecord, CredentialStore } from '../ports/credentials.ts';
import type { Chance } from '../ports/random.ts';
import type { Transport } from '../ports/transport.ts';
import type { Claim, Event, Step } from './state.ts';

export interface ActionPorts {
  readonly clock: Clock;
  readonly chance: Chance;
  readonly store: CredentialStore;
  readonly transport: Transport;
}

export interface ProvisioningSettings {
  readonly server: string;
  readonly deviceName: string;
  /** The first request waits a random part of this, ms. */
  readonly spreadMs: number;
  /** Absent: this gateway cannot provision; run refuses to start unless there are credentials. */
  readonly pair?: { readonly key: string; readonly secret: Secret; readonly deviceGenerated: boolean };
}

/** Performs the action of `step` once. Resolves with its event; rejects only for a bug. */
export async function act(
  step: Step,
  ports: ActionPorts,
  settings: ProvisioningSettings,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Event> {
  return step.at === 'deliver'
    ? delivery.step(step.claim.token, signal)
    : getIn(step, ports, settings, signal);
}

/** The same for all that comes before delivery. */
export async function getIn(
  step: Exclude<Step, { readonly at: 'deliver' }>,
  ports: ActionPorts,
  settings: ProvisioningSettings,
  signal: AbortSignal,
): Promise<Event> {
  switch (step.at) {
    case 'remember':
      return stored(async () => ({ type: 'remembered', record: await ports.store.read() }));
    case 'intend':
      return intend(step, ports, settings);
    case 'provision':
      return provision(step.claim, ports, settings, signal);
    case 'probe':
      return probe(step.claim.token, ports, signal);
    case 'retry':
      return probe(step.claim.previousToken, ports, signal);
    case 'adopt':
      return stored(async () => {
        await ports.store.write(provisioned(step.claim.deviceName, step.claim.token, ports, settings));
        return { type: 'adopted' };
      });
    case 'wait':
      await ports.clock.sleep(step.forMs, signal);
      return { type: 'elapsed' };
  }
}

async function probe(token: Secret, ports: ActionPorts, signal: AbortSignal): Promise<Event> {
  const result = await ports.transport.probe(token, signal);
  return result.ok ? { type: 'probed', ours: result.value } : { type: 'refused', refusal: result.refusal };
}

/** A gateway whose token was revoked keeps the name it was known by, whatever the configuration says now. */
async function intend(
  { revoked, proposed }: Step & { at: 'intend' },
  ports: ActionPorts,
  settings: ProvisioningSettings,
): Promise<Event> {
  const { server, pair } = settings;
  const deviceName = revoked?.deviceName ?? settings.deviceName;
  const token = proposed ?? (pair?.deviceGenerated ? ports.chance.mintToken() : undefined);
  const claim: Claim = {
    deviceName,
    ...(token && { token }),
    ...(revoked && { previousToken: revoked.token }),
  };
  return stored(async () => {
    await ports.store.write({ state: 'pending', server, sinceMs: ports.clock.wallMs(), ...claim });
    return { type: 'intended', claim };
  });
}

async function provision(
  claim: Claim,
  ports: ActionPorts,
  settings: ProvisioningSettings,
  signal: AbortSignal,
): Promise<Event> {
  const { pair } = settings;
  if (!pair) return { type: 'refused', refusal: { reason: 'no-pair', detail: 'nothing to provision with' } };
  let issued: Secret | undefined;
  const keep = (token: Secret): Promise<void> => {
    issued = token;
    return ports.store.write(provisioned(claim.deviceName, token, ports, settings));
  };
  const event = await stored(async () => {
    const request = { ...claim, key: pair.key, secret: pair.secret };
    const result = await ports.transport.provision(request, keep, signal);
    return result.ok ? { type: 'issued', token: result.value } : { type: 'refused', refusal: result.refusal };
  });
  // The server will never say this token again: it is held until the disk takes it.
  if (event.type === 'refused' && issued) return { type: 'unkept', token: issued, refusal: event.refusal };
  return event;
}

function provisioned(
  deviceName: string,
  token: Secret,
  ports: ActionPorts,
  settings: ProvisioningSettings,
): CredentialRecord {
  return { state: 'provisioned', server: settings.server, deviceName, token, sinceMs: ports.clock.wallMs() };
}

/** Runs what touches the store; its failure is the store's refusal, told in the store's own words. */
async function stored(action: () => Promise<Event>): Promise<Event> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'StoreError') throw error;
    return { type: 'refused', refusal: { reason: reasonOf(error), detail: error.message } };
  }
}

function reasonOf(error: Error): RefusalReason {
  switch (errorCode(error)) {
    case 'CREDENTIALS_DAMAGED':
      return 'credentials-unreadable';
    case 'CREDENTIALS_NEWER':
      return 'credentials-newer';
    default:
      return 'store-failed';
  }
}
