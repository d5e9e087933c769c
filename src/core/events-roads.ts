/** The events of the ways to the server (transport/, cli/clear-roads.ts), beside the refusals. */

import type { EventEntry } from './events.ts';

export const ROAD_EVENTS = {
  'FL-ROAD-LEFT': {
    level: 'warn',
    sentence:
      'the way to the server fails, and another URL of server.url is used: check what fails; it is tried again at growing intervals',
  },
  'FL-ROAD-BACK': { level: 'info', sentence: 'a better URL of server.url works again and is used' },
  'FL-SERVER-MOVED': {
    level: 'warn',
    sentence:
      'server.url redirects to another address, which is used until the next start: set server.url to that address',
  },
  'FL-CLEAR-ROAD': {
    level: 'warn',
    sentence:
      'this URL leads over public networks without encryption, and whoever can read on the way can read the provisioning secret, the token and all values: set server.url to https, or give the gateway a private way to the server',
  },
  'FL-CLEAR-FALLBACK': {
    level: 'warn',
    sentence:
      'server.url goes from https to a URL without encryption when https fails, as it says: change the list if nothing may ever be readable on the way',
  },
} as const satisfies Record<string, EventEntry>;
