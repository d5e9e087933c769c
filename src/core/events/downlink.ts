/** Events of the downlink: subscriptions to shared attributes and commands. */

import type { EventEntry } from './definition.ts';

export const DOWNLINK_EVENTS = {
  'FL-DOWNLINK-FAILED': {
    level: 'warn',
    sentence:
      'the server accepts telemetry but no subscription to shared attributes and commands; the agent keeps trying: check the proxies and firewalls between this host and the server, or set remote.settings = "off" and remote.commands = []',
  },
  'FL-DOWNLINK-RESTORED': {
    level: 'info',
    sentence: 'the server accepts the subscription to shared attributes and commands again',
  },
} as const satisfies Record<string, EventEntry>;
