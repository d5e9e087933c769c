/**
 * The last net under the secrets: every text that is written passes here, and each secret that was made known
 * turns into ***.
 *
 * Found are the characters themselves, escaped for JSON, URL-encoded, and in Base64 (both alphabets, at each of
 * the three places a secret can begin within a group of three bytes, so also inside a longer encoded text). A
 * net is not a licence: Secret is what keeps secrets out of texts, this is for the server's echo and the
 * library's error message.
 */

import type { Secret } from '../../core/model/secret.ts';

const MASK = '***';
/**
 * The part of an encoded text that is the same whatever surrounds it may be short; shorter than this it is no
 * secret's any more.
 */
const ENCODED_CHARACTERS_MIN = 6;

export class Redaction {
  readonly #secrets = new Set<string>();
  /** Longest first, so that no form leaves a part of a longer one behind. */
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
  const form = new URLSearchParams({ '': text }).toString().slice(1);
  const json = JSON.stringify(text).slice(1, -1);
  return [text, json, percent, lowerPercent, form, ...base64Forms(text)];
}

function base64Forms(text: string): readonly string[] {
  const forms: string[] = [];
  for (const before of [0, 1, 2]) {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(text)]);
    // Characters that also hold bits of what stands before or after the secret are left off.
    const first = Math.ceil((before * 8) / 6);
    const last = Math.floor((bytes.length * 8) / 6);
    const encoded = bytes.toString('base64').slice(first, last);
    if (encoded.length < ENCODED_CHARACTERS_MIN) continue;
    forms.push(encoded, encoded.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}
