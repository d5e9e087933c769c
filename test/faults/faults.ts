/** All faults, in the order of the table. */

import { CONFIG_FAULTS } from './config-faults.ts';
import { DTLS_FAULTS } from './dtls-faults.ts';
import type { Fault } from './fault.ts';
import { FOREIGN_SERVER_FAULTS } from './foreign-server-faults.ts';
import { HOST_FAULTS } from './host-faults.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { SERVER_FAULTS } from './server-faults.ts';
import { STATE_FAULTS } from './state-faults.ts';
import { TLS_FAULTS } from './tls-faults.ts';
import { UPDATE_FAULTS } from './update-faults.ts';

export const FAULTS: readonly Fault[] = [
  ...SERVER_FAULTS,
  ...NETWORK_FAULTS,
  ...FOREIGN_SERVER_FAULTS,
  ...TLS_FAULTS,
  ...DTLS_FAULTS,
  ...CONFIG_FAULTS,
  ...STATE_FAULTS,
  ...HOST_FAULTS,
  ...UPDATE_FAULTS,
];
