/** Whether a value is what the catalogue promises, and how it is then delivered. */

import { round, type Value } from '../core/reading.ts';
import type { CatalogueEntry } from './collector.ts';

/** The value as it may be delivered; undefined when it is not what the catalogue promises. */
export function believable(entry: CatalogueEntry | undefined, value: Value): Value | undefined {
  switch (entry?.type) {
    case 'number':
      if (typeof value !== 'number' || !(value >= entry.min && value <= entry.max)) return undefined;
      return round(value, entry.decimals);
    case 'flag':
      return typeof value === 'boolean' ? value : undefined;
    case 'text':
      return typeof value === 'string' && value.length <= entry.charactersMax ? value : undefined;
    case undefined:
      return undefined;
  }
}

/** For a sentence about a value that is not believed. */
export function shown(value: Value): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 24)) : String(value);
}
