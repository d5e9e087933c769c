/**
 * The four ways of provisioning a gateway: what the device profile allows, and who chooses the token.
 */

import type { CredentialMode } from '../../../src/core/model/config.ts';

export interface Strategy {
  /** What the device profile does with an unknown name: makes the device, or wants it made beforehand. */
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

/** The one where a lost answer can always be made up for: the gateway knows its token before it asks. */
export const NEVER_STRANDED = 'allow-create/device-generated' satisfies StrategyName;

/** Who the gateway is and what it was given; the same in every run. */
export const GATEWAY = {
  name: 'gw-0a1b2c3d4e5f',
  key: 'provision-key',
  secret: 'provision-secret',
  server: 'coap://192.0.2.7:5683',
  host: '192.0.2.7',
  port: 5683,
} as const;
