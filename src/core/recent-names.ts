/** Names seen lately, a bounded number of them: the oldest is forgotten for the newest. */

export class RecentNames {
  readonly #namesMax: number;
  readonly #names = new Set<string>();

  constructor(namesMax: number) {
    this.#namesMax = namesMax;
  }

  /** True the first time. */
  isNew(name: string): boolean {
    if (this.#names.has(name)) return false;
    this.#names.add(name);
    const [oldest] = this.#names;
    if (this.#names.size > this.#namesMax && oldest !== undefined) this.#names.delete(oldest);
    return true;
  }
}
