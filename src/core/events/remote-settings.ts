/** Events of the settings that the server makes by shared attributes. */

import type { EventEntry } from './definition.ts';

export const REMOTE_SETTINGS_EVENTS = {
  'FL-REMOTE-SETTINGS-APPLIED': {
    level: 'info',
    sentence:
      'changed shared attributes apply; the agent keeps them if the server accepts telemetry within 5 minutes',
  },
  'FL-REMOTE-SETTINGS-CONFIRMED': {
    level: 'info',
    sentence: 'the changed shared attributes are confirmed, and the agent stores them',
  },
  'FL-REMOTE-SETTINGS-REVERTED': {
    level: 'warn',
    sentence:
      'the server accepted no telemetry after shared attributes changed; the agent uses the previous values again: correct the attributes in the field settings, or set them again to retry',
  },
  'FL-REMOTE-SETTINGS-POSTPONED': {
    level: 'info',
    sentence:
      'the server accepted no telemetry before and after shared attributes changed; the agent uses the previous values and tries the change again when the server accepts telemetry',
  },
  'FL-REMOTE-SETTING-REFUSED': {
    level: 'warn',
    sentence:
      'a shared attribute is invalid, and the log line names it; the agent refused it and uses the previous value: correct it in ThingsBoard',
  },
  'FL-REMOTE-SERVER-URL-DROPPED': {
    level: 'info',
    sentence:
      'server.url of the gateway has changed; the agent uses it instead of the shared attribute serverUrl until the server sends that again',
  },
  'FL-REMOTE-SETTINGS-DAMAGED': {
    level: 'warn',
    sentence:
      'the stored settings of the server are damaged; the agent set the file aside and uses the local values until the server sends its attributes: check the health of the SD card or disk',
  },
  'FL-REMOTE-SETTINGS-IGNORED': {
    level: 'warn',
    sentence:
      'the stored settings of the server cannot be used, and the field problem gives the reason; the agent uses the local values until the server sends its attributes: check the state directory if this happens again',
  },
  'FL-REMOTE-SETTINGS-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'the settings of the server cannot be stored, so they apply until the next start only: check the free space, permissions and health of the state directory',
  },
  'FL-REMOTE-SETTINGS-WRITE-RESTORED': {
    level: 'info',
    sentence: 'the settings of the server can be stored again',
  },
} as const satisfies Record<string, EventEntry>;
