/** A set with a maximum size: a new member replaces the oldest one. */

export class BoundedSet<T> extends Set<T> {
  readonly #sizeMax: number;

  constructor(sizeMax: number) {
    super();
    this.#sizeMax = sizeMax;
  }

  override add(member: T): this {
    super.add(member);
    if (this.size <= this.#sizeMax) return this;
    for (const oldest of this) {
      this.delete(oldest);
      break;
    }
    return this;
  }
}
