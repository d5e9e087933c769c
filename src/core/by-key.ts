/**
 * What an operator says of keys, looked up key by key: a key that is named itself counts before a glob that covers it, and of
 * several globs the first. Answers are remembered, so a sample costs one look-up a key.
 */

import { matches } from './glob.ts';

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
