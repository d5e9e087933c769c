/**
 * Globs over names: `*` stands for any characters, also none; every other character for itself, and upper case is not lower.
 *
 * The catalogue's keys are such patterns themselves (`net*RxBytesPerS`), so two of them can be compared as well. The work is
 * the product of the two lengths, whatever is in them: no glob an operator writes can take long.
 */

/** Whether the glob stands for `text`, in which a `*` is a character like any other. */
export function matches(glob: string, text: string): boolean {
  return meet(glob, text, false);
}

/** Whether there is a text that both globs stand for. */
export function overlap(one: string, other: string): boolean {
  return meet(one, other, true);
}

function meet(glob: string, other: string, otherIsGlob: boolean): boolean {
  // below[column]: whether the rest of the glob, from the next character on, meets the rest of the other from that column on.
  let below: readonly boolean[] = [];
  for (let row = glob.length; row >= 0; row -= 1) {
    const current: boolean[] = Array.from({ length: other.length + 1 }, () => false);
    for (let column = other.length; column >= 0; column -= 1) {
      const [left, right] = [glob[row], other[column]];
      if (left === undefined && right === undefined) current[column] = true;
      else if (left === '*') current[column] = below[column] === true || current[column + 1] === true;
      else if (otherIsGlob && right === '*')
        current[column] = current[column + 1] === true || below[column] === true;
      else current[column] = left === right && below[column + 1] === true;
    }
    below = current;
  }
  return below[0] === true;
}

/** Far more keys than a host has; beyond it the memory begins anew. */
const REMEMBERED_MAX = 512;

export class ByKey<T> {
  readonly #said: ReadonlyMap<string, T>;
  readonly #globs: readonly (readonly [glob: string, said: T])[];
  readonly #known = new Map<string, T | undefined>();

  /** Keys of the map may hold a `*` (glob.ts). */
  constructor(said: ReadonlyMap<string, T>) {
    this.#said = said;
    this.#globs = [...said].filter(([key]) => key.includes('*'));
  }

  of(key: string): T | undefined {
    const named = this.#said.get(key);
    if (named !== undefined || this.#globs.length === 0) return named;
    if (this.#known.has(key)) return this.#known.get(key);
    if (this.#known.size >= REMEMBERED_MAX) this.#known.clear();
    const said = this.#globs.find(([glob]) => matches(glob, key))?.[1];
    this.#known.set(key, said);
    return said;
  }
}
