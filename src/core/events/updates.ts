/** Events of updates that the server assigns. Root's part logs to its own unit, firstlight-update.service. */

import type { EventEntry } from './definition.ts';

export const UPDATE_EVENTS = {
  'FL-UPDATE-ASSIGNED': {
    level: 'info',
    sentence: 'the server assigned an update; the agent downloads it at the time of the field inS',
  },
  'FL-UPDATE-IGNORED': {
    level: 'warn',
    sentence:
      'the server assigned software that this agent does not install, and the field problem says why: remove the assignment, or assign an update of Firstlight',
  },
  'FL-UPDATE-DOWNLOADED': { level: 'info', sentence: 'the update was downloaded and verified' },
  'FL-UPDATE-INSTALLING': {
    level: 'info',
    sentence: 'the update was handed over for installation: see journalctl -u firstlight-update',
  },
  'FL-UPDATE-COMPLETED': { level: 'info', sentence: 'the update is installed, and this version is healthy' },
  'FL-UPDATE-FAILED': {
    level: 'error',
    sentence:
      'the update failed, and the field problem says why; the installed version continues: correct that and assign another version',
  },
  'FL-UPDATE-INTERRUPTED': {
    level: 'warn',
    sentence:
      'the update cannot continue now, and the field problem says why; the agent tries again: check the disk',
  },
} as const satisfies Record<string, EventEntry>;
