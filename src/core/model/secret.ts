/**
 * A string that cannot be printed by accident: the provisioning secret and every access token.
 *
 * Converted to text (template, JSON, console, util.inspect, an error message) it reads `***`. Only `reveal()`
 * returns the characters, so that a search finds every use.
 */

const inspect = Symbol.for('nodejs.util.inspect.custom');

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The characters, for requests and the credential store only. */
  reveal(): string {
    return this.#text;
  }

  equals(other: Secret): boolean {
    return this.#text === other.#text;
  }

  toString(): string {
    return '***';
  }

  toJSON(): string {
    return '***';
  }

  [inspect](): string {
    return '***';
  }
}
