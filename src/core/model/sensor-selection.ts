/**
 * Selects which of the known keys this gateway reports: a profile, then the keys switched on, then the keys
 * switched off; the later one takes precedence. Both lists contain globs over keys and sensor names.
 */

import { matches, overlap } from './glob.ts';

/** Each profile includes the keys of the previous one. */
export type Profile = 'minimal' | 'default' | 'full';

export const PROFILES = ['minimal', 'default', 'full'] as const satisfies readonly Profile[];

export interface Selection {
  readonly profile: Profile;
  readonly on: readonly string[];
  readonly off: readonly string[];
}

export const EVERYTHING: Selection = { profile: 'full', on: [], off: [] };

/**
 * Whether a key of `sensor` is reported, which the profiles include from `from` on. For a key pattern with
 * `*`: whether any matching key may be.
 */
export function isSelected(selection: Selection, sensor: string, key: string, from: Profile): boolean {
  const { profile, on, off } = selection;
  if (off.some((glob) => matches(glob, sensor) || matches(glob, key))) return false;
  if (PROFILES.indexOf(from) <= PROFILES.indexOf(profile)) return true;
  return on.some((glob) => matches(glob, sensor) || overlap(glob, key));
}
