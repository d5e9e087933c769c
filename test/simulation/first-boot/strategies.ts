/** The four ways to provision a gateway: what the device profile allows, and who chooses the token. */

import type { CredentialMode } from '../../../src/core/model/config.ts';

export interface Strategy {
  /** What the device profile does with an unknown name: create the device, or require that it exists. */
  readonly profile: 'create' | 'pre-provisioned';
  readonly credentials: CredentialMode;
}

export const STRATEGIES = {
  'allow-create/device-generated': { profile: 'create', credentials: 'device-generated' },
  'allow-create/server-generated': { profile: 'create', credentials: 'server-generated' },
  'pre-provisioned/device-generated': { profile: 'pre-provisioned', credentials: 'device-generated' },
  'pre-provisioned/server-generated': { profile: 'pre-provisioned', credentials: 'server-generated' },
} as const satisfies Record<string, Strategy>;

export type StrategyName = keyof typeof STRATEGIES;

export const STRATEGY_NAMES = Object.keys(STRATEGIES) as StrategyName[];

/** The strategy that survives every lost response, because the gateway knows its token before the request. */
export const NEVER_STRANDED = 'allow-create/device-generated' satisfies StrategyName;

/** The identity and configuration of the gateway, the same in every run. */
export const GATEWAY = {
  name: 'gw-0a1b2c3d4e5f',
  key: 'provision-key',
  secret: 'provision-secret',
  server: 'coap://192.0.2.7:5683',
  host: '192.0.2.7',
  port: 5683,
} as const;
