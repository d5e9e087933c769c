/**
 * Selection: which of all the keys the sensors know this gateway reports.
 *
 * A profile, then what the operator switches on beside it, then what they switch off: the later one counts. Both lists
 * hold globs (glob.ts) over keys and over the names of sensors, so `net*` and `network` say the same.
 */

import { matches, overlap } from './glob.ts';

/** The smallest set of keys an operator can choose that holds this one; each holds the one before. */
export type Profile = 'minimal' | 'default' | 'full';

export const PROFILES = ['minimal', 'default', 'full'] as const satisfies readonly Profile[];

export interface Selection {
  readonly profile: Profile;
  readonly on: readonly string[];
  readonly off: readonly string[];
}

export const EVERYTHING: Selection = { profile: 'full', on: [], off: [] };

/**
 * Whether a key of that sensor, listed from the profile `from` on, is reported. Of a key with a `*` in it: whether any key
 * that it stands for may be.
 */
export function isSelected(selection: Selection, sensor: string, key: string, from: Profile): boolean {
  const { profile, on, off } = selection;
  if (off.some((glob) => matches(glob, sensor) || matches(glob, key))) return false;
  if (PROFILES.indexOf(from) <= PROFILES.indexOf(profile)) return true;
  return on.some((glob) => matches(glob, sensor) || overlap(glob, key));
}
