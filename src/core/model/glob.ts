/**
 * Globs over names: `*` stands for any characters, also none; every other character for itself, and upper case is not lower.
 *
 * The catalogue's keys are such patterns themselves (`net*RxBytesPerS`), so two of them can be compared as well. The work is
 * the product of the two lengths, whatever is in them: no glob an operator writes can take long.
 */

/** Whether the glob stands for `text`, in which a `*` is a character like any other. */
export function matches(glob: string, text: string): boolean {
  return intersect(glob, text, false);
}

/** Whether there is a text that both globs stand for. */
export function overlap(one: string, other: string): boolean {
  return intersect(one, other, true);
}

function intersect(glob: string, other: string, isOtherGlob: boolean): boolean {
  // below[column]: whether the rest of the glob, from the next character on, meets the rest of the other from that column on.
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

/** Far more keys than a host has; beyond it the memory begins anew. */
const CACHE_MAX = 512;

export class GlobMap<T> {
  readonly #entries: ReadonlyMap<string, T>;
  readonly #globs: readonly (readonly [glob: string, said: T])[];
  readonly #cache = new Map<string, T | undefined>();

  /** Keys of the map may hold a `*` (glob.ts). */
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
