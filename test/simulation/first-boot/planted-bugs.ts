/**
 * Bugs planted to test the simulation: each takes one promise away, and the simulation must notice.
 *
 * They are wrappers around the agent's ports, so that src/ is the shipped code always.
 */

import type { AgentPorts } from '../../../src/agent/agent.ts';
import type { CredentialStore } from '../../../src/core/ports/credentials.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import { overriding } from '../overriding.ts';

export const PLANTS = {
  'no-directory-fsync': 'a write of the credential record resolves before its rename is durable',
  'no-probe': 'after a declined or silent answer the agent asks again without probing its token',
  'new-token-per-attempt': 'every provisioning request proposes a fresh token',
  'no-intent': 'the pending record is not written',
  'ack-before-keep': 'a confirmable answer is acknowledged before its token is on the disk',
} as const;

export type Plant = keyof typeof PLANTS;

export const PLANT_NAMES = Object.keys(PLANTS) as Plant[];

type Planted = Pick<AgentPorts, 'store' | 'transport' | 'random'>;

/** `ports` with the bug in them; the missing directory sync is the disk's own (`syncsDirectory`). */
export function planted<T extends Planted>(ports: T, plant: Plant | undefined): T {
  switch (plant) {
    case 'no-probe':
      return { ...ports, transport: tokenNeverAccepted(ports.transport) };
    case 'new-token-per-attempt':
      return { ...ports, transport: newTokens(ports) };
    case 'no-intent':
      return { ...ports, store: withoutIntent(ports.store) };
    case 'ack-before-keep':
      return { ...ports, transport: savingLate(ports.transport) };
    case 'no-directory-fsync':
    case undefined:
      return ports;
  }
}

/** The session probes in every case; a probe that asks nobody and says "not ours" is no probe. */
function tokenNeverAccepted(transport: Transport): Transport {
  return overriding<Transport>(transport, { probe: async () => ({ ok: true, value: false }) });
}

function newTokens({ transport, random }: Planted): Transport {
  return overriding<Transport>(transport, {
    provision: (request, keep, signal) =>
      transport.provision(request.token ? { ...request, token: random.mintToken() } : request, keep, signal),
  });
}

function withoutIntent(store: CredentialStore): CredentialStore {
  return overriding<CredentialStore>(store, {
    write: async (record) => {
      if (record.state !== 'pending') await store.write(record);
    },
  });
}

/** The transport acknowledges as soon as `keep` resolves, so it gets one that does at once. */
function savingLate(transport: Transport): Transport {
  return overriding<Transport>(transport, {
    provision: async (request, keep, signal) => {
      const result = await transport.provision(request, async () => {}, signal);
      if (result.ok) await keep(result.value);
      return result;
    },
  });
}
