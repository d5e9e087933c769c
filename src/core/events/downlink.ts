/** Events of the downlink: subscriptions to shared attributes and commands. */

import type { EventEntry } from './definition.ts';

export const DOWNLINK_EVENTS = {
  'FL-DOWNLINK-FAILED': {
    level: 'warn',
    sentence:
      'the server accepts telemetry but no subscription to shared attributes and commands; the agent keeps trying: check the proxies and firewalls between this host and the server, or set remote.settings and remote.commands to "off"',
  },
  'FL-DOWNLINK-RESTORED': {
    level: 'info',
    sentence: 'the server accepts the subscription to shared attributes and commands again',
  },
  'FL-DOWNLINK-STALLED': {
    level: 'warn',
    sentence:
      'the part of the agent that listens to the server shows no sign of life; the agent starts it again and keeps posting telemetry: report it as a Firstlight bug',
  },
  'FL-COMMAND-EXECUTED': { level: 'info', sentence: 'a command of the server was executed' },
  'FL-COMMAND-REPEATED': {
    level: 'info',
    sentence:
      'the server sent a command again; it was not executed twice, and got the same reply, or one that calls it a duplicate',
  },
  'FL-COMMAND-REFUSED': {
    level: 'warn',
    sentence:
      'the agent refused a command of the server, and the reply says why: correct the command, or add it to remote.commands',
  },
  'FL-COMMAND-FLOOD': {
    level: 'warn',
    sentence:
      'the server sends more commands than the agent answers, and the others are dropped: check what sends commands to this device',
  },
  'FL-COMMAND-STATE-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'the agent cannot save which commands it has executed; after a restart within ten minutes, it may execute one again: check that the runtime directory is writable',
  },
  'FL-COMMAND-BUG': {
    level: 'error',
    sentence: 'a command failed because of an internal error: report it as a Firstlight bug',
  },
} as const satisfies Record<string, EventEntry>;
