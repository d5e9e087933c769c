/**
 * Globs over names: `*` matches any characters, also none; any other character matches itself,
 * case-sensitive.
 *
 * Catalogue keys are patterns too (`net*RxBytesPerS`), so two globs can be compared. The time is the product
 * of the two lengths, whatever they contain: no configured glob can be slow.
 */

/** Whether the glob matches `text`, in which `*` is an ordinary character. */
export function matches(glob: string, text: string): boolean {
  return intersect(glob, text, false);
}

/** Whether some text matches both globs. */
export function overlap(one: string, other: string): boolean {
  return intersect(one, other, true);
}

function intersect(glob: string, other: string, isOtherGlob: boolean): boolean {
  // below[column]: whether the rest of the glob, from the next row on, matches the rest of the other from
  // that column on.
  let below: readonly boolean[] = [];
  for (let row = glob.length; row >= 0; row -= 1) {
    const current: boolean[] = Array.from({ length: other.length + 1 }, () => false);
    for (let column = other.length; column >= 0; column -= 1) {
      const [left, right] = [glob[row], other[column]];
      if (left === undefined && right === undefined) current[column] = true;
      else if (left === '*') current[column] = below[column] === true || current[column + 1] === true;
      else if (isOtherGlob && right === '*')
        current[column] = current[column + 1] === true || below[column] === true;
      else current[column] = left === right && below[column + 1] === true;
    }
    below = current;
  }
  return below[0] === true;
}

/** Far more keys than a host has; a full cache is cleared. */
const CACHE_MAX = 512;

/** A map whose keys may be globs: an exact key takes precedence, then the first matching glob. */
export class GlobMap<T> {
  readonly #entries: ReadonlyMap<string, T>;
  readonly #globs: readonly (readonly [glob: string, value: T])[];
  readonly #cache = new Map<string, T | undefined>();

  /** Keys of `entries` may be globs. */
  constructor(entries: ReadonlyMap<string, T>) {
    this.#entries = entries;
    this.#globs = [...entries].filter(([key]) => key.includes('*'));
  }

  get(key: string): T | undefined {
    const exact = this.#entries.get(key);
    if (exact !== undefined || this.#globs.length === 0) return exact;
    if (this.#cache.has(key)) return this.#cache.get(key);
    if (this.#cache.size >= CACHE_MAX) this.#cache.clear();
    const value = this.#globs.find(([glob]) => matches(glob, key))?.[1];
    this.#cache.set(key, value);
    return value;
  }
}
