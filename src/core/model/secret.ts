/**
 * A string that cannot be printed by accident: the provisioning secret and every access token.
 *
 * However it is turned into text (template, JSON, console, util.inspect, an error's message) it reads `***`.
 * The only way to the characters is `reveal()`, so a reader can grep for every place that uses them.
 */

const inspect = Symbol.for('nodejs.util.inspect.custom');

export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** The characters themselves, for the wire and for the credential store; nowhere else. */
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
