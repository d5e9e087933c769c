/** What a setup does with one entity: a pure decision from what is wanted, what is there and what was recorded. */

import type { JsonObject } from '../../core/model/json-object.ts';
import { fingerprintOf, type Kind } from './content.ts';
import type { RecordedItem } from './record.ts';

export type Decision =
  | { readonly do: 'make' | 'update' | 'adopt' | 'keep' | 'delete' }
  /** Left as it is, because an operator decided otherwise. */
  | { readonly do: 'leave'; readonly because: 'changed' | 'deleted' | 'not ours' }
  /** There is none, and none is wanted. */
  | { readonly do: 'forget' };

export interface Situation {
  readonly kind: Kind;
  /** Undefined: this version makes none. */
  readonly wanted: JsonObject | undefined;
  readonly found: JsonObject | undefined;
  readonly recorded: RecordedItem | undefined;
  /** Overwrite what was changed, and make again what was deleted. */
  readonly reset: boolean;
}

export function decide({ kind, wanted, found, recorded, reset }: Situation): Decision {
  if (!found) {
    if (!wanted) return { do: 'forget' };
    return recorded && !reset ? { do: 'leave', because: 'deleted' } : { do: 'make' };
  }
  const current = fingerprintOf(kind, found);
  const isAsWanted = wanted !== undefined && current === fingerprintOf(kind, wanted);
  if (!recorded) {
    if (isAsWanted) return { do: 'adopt' };
    return reset && wanted ? { do: 'update' } : { do: 'leave', because: 'not ours' };
  }
  if (isAsWanted) return recorded.fingerprint === current ? { do: 'keep' } : { do: 'adopt' };
  if (current !== recorded.fingerprint && !reset) return { do: 'leave', because: 'changed' };
  return { do: wanted ? 'update' : 'delete' };
}
