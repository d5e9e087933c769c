/**
 * Bugs planted to test the simulation: each breaks one promise, and the simulation must detect that. They are
 * wrappers around the ports of the agent, so that src/ always is the shipped code.
 */

import type { AgentPorts } from '../../../src/agent/agent.ts';
import type { CredentialStore } from '../../../src/core/ports/credentials.ts';
import type { Transport } from '../../../src/core/ports/transport.ts';
import { DOWNLINK_PLANTS } from '../downlink/planted-bugs.ts';
import { override } from '../override.ts';

export const PLANTS = {
  'no-directory-fsync': 'a write of the credential record resolves before its rename is durable',
  'no-token-check': 'after a declined or lost response the agent provisions again without checking its token',
  'new-token-per-attempt': 'every provisioning request proposes a fresh token',
  'no-intent': 'the pending record is not written',
  'ack-before-persist': 'a confirmable response is acknowledged before its token is on the disk',
  ...DOWNLINK_PLANTS,
} as const;

export type Plant = keyof typeof PLANTS;

export const PLANT_NAMES = Object.keys(PLANTS) as Plant[];

type PlantedPorts = Pick<AgentPorts, 'store' | 'transport' | 'random'>;

/** `ports` with the bug; the option `syncsDirectory` of the disk leaves out the directory sync, and downlink/ plants its own. */
export function withPlantedBug<T extends PlantedPorts>(ports: T, plant: Plant | undefined): T {
  switch (plant) {
    case 'no-token-check':
      return { ...ports, transport: tokenNeverAccepted(ports.transport) };
    case 'new-token-per-attempt':
      return { ...ports, transport: newTokens(ports) };
    case 'no-intent':
      return { ...ports, store: withoutIntent(ports.store) };
    case 'ack-before-persist':
      return { ...ports, transport: acknowledgingEarly(ports.transport) };
    default:
      return ports;
  }
}

/** The session always checks the token; a check that sends nothing and returns false equals no check. */
function tokenNeverAccepted(transport: Transport): Transport {
  return override<Transport>(transport, { probe: async () => ({ ok: true, value: false }) });
}

function newTokens({ transport, random }: PlantedPorts): Transport {
  return override<Transport>(transport, {
    provision: (request, persist, signal) =>
      transport.provision(
        request.token ? { ...request, token: random.mintToken() } : request,
        persist,
        signal,
      ),
  });
}

function withoutIntent(store: CredentialStore): CredentialStore {
  return override<CredentialStore>(store, {
    write: async (record) => {
      if (record.state !== 'pending') await store.write(record);
    },
  });
}

/** The transport acknowledges when `persist` resolves, so it gets one that resolves at once. */
function acknowledgingEarly(transport: Transport): Transport {
  return override<Transport>(transport, {
    provision: async (request, persist, signal) => {
      const result = await transport.provision(request, async () => {}, signal);
      if (result.ok) await persist(result.value);
      return result;
    },
  });
}
