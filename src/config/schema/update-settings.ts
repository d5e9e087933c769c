/** The settings of the table [update]: when updates that the server assigns may begin; rows of the table in settings.ts. */

import * as v from 'valibot';
import type { UpdateWindow } from '../../core/model/update-schedule.ts';
import type { Setting } from './setting.ts';
import { duration, parseWith, text } from './value-types.ts';

const HOUR_MS = 3_600_000;

function parseWindow(input: string): UpdateWindow | string {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(input.trim());
  if (!match) return 'must be two times of day, such as 02:00-05:00';
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = match.slice(1).map(Number);
  return { fromMinute: fromHour * 60 + fromMinute, toMinute: toHour * 60 + toMinute };
}

export const updateSettings = {
  updateSpread: {
    key: 'update.spread',
    default: '1h',
    meaning:
      'An update that the server assigns begins after a random part of this time, so that a fleet does not update at once. Updates need a public key in /etc/firstlight/update-keys.d; without one they are off.',
    ...duration(0, 24 * HOUR_MS, '1h'),
  },
  updateWindow: {
    key: 'update.window',
    type: 'text',
    bound: 'HH:MM-HH:MM, local time; may include midnight',
    example: '02:00-05:00',
    meaning:
      'The time of day at which an update may be downloaded and installed. Without this setting, at any time.',
    schema: v.pipe(text('two times of day'), parseWith(parseWindow)),
  },
} as const satisfies Record<string, Setting>;
