/**
 * The last safeguard for secrets: replaces each registered secret in a text with ***.
 *
 * It finds the characters themselves, escaped for JSON, URL-encoded, and in Base64 (both alphabets, at each
 * of the three offsets, also inside a longer encoded text). The class `Secret` is what keeps secrets out of
 * texts; redaction covers what the class cannot, such as an echo of the server or a library's error message.
 */

import type { Secret } from '../../core/model/secret.ts';

const MASK = '***';
/**
 * Only part of an encoded secret is independent of its surroundings. A shorter part would match other texts.
 */
const ENCODED_CHARACTERS_MIN = 6;

export class Redaction {
  readonly #secrets = new Set<string>();
  /** Longest first, so that a shorter form does not break up a longer one. */
  #forms: readonly string[] = [];

  add(secret: Secret): void {
    const text = secret.reveal();
    if (text === '' || this.#secrets.has(text)) return;
    this.#secrets.add(text);
    const forms = new Set([...this.#forms, ...formsOf(text)]);
    this.#forms = [...forms].sort((a, b) => b.length - a.length);
  }

  clean(text: string): string {
    let redacted = text;
    for (const form of this.#forms) {
      if (redacted.includes(form)) redacted = redacted.replaceAll(form, MASK);
    }
    return redacted;
  }
}

function formsOf(text: string): readonly string[] {
  const percent = encodeURIComponent(Buffer.from(text).toString());
  const lowerPercent = percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase());
  const formEncoded = new URLSearchParams({ '': text }).toString().slice(1);
  const json = JSON.stringify(text).slice(1, -1);
  return [text, json, percent, lowerPercent, formEncoded, ...base64Forms(text)];
}

function base64Forms(text: string): readonly string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    // Leaves out characters that also encode bits before or after the secret.
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((bytes.length * 8) / 6);
    const encoded = bytes.toString('base64').slice(first, last);
    if (encoded.length < ENCODED_CHARACTERS_MIN) continue;
    forms.push(encoded, encoded.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}
