/**
 * How a value that an operator wrote is shown back to them: on one line, bounded, and never a secret.
 *
 * Shown as *** are the values of secret settings, the user information, path and query of a URL, and a
 * secret-file that is not an absolute path, because it may be the secret itself, put under the wrong key.
 * Tables and lists are never opened.
 */

import type { Setting } from './setting.ts';

const SHOWN_CHARACTERS_MAX = 80;

export function formatValue(setting: Setting, raw: unknown): string {
  if (setting.type === 'secret') return '***';
  if (setting.type === 'path' && !(typeof raw === 'string' && raw.startsWith('/'))) return '***';
  if (typeof raw === 'string') return quote(setting.type === 'URL' ? maskUrls(raw) : raw);
  if (typeof raw === 'number' || typeof raw === 'boolean' || typeof raw === 'bigint') return String(raw);
  if (raw instanceof Date) return raw.toISOString();
  return Array.isArray(raw) ? '[ … ]' : '{ … }';
}

/** A key as TOML would have it: bare when it can be, otherwise quoted, with nothing in it that moves a cursor. */
export function formatKey(path: readonly string[]): string {
  return path.map((part) => (/^[A-Za-z0-9_-]{1,80}$/.test(part) ? part : quote(part))).join('.');
}

/** What a value of the wrong type is, with its article. */
export function describeType(raw: unknown): string {
  if (typeof raw === 'number' || typeof raw === 'bigint') return 'a bare number';
  if (typeof raw === 'boolean') return 'a boolean';
  if (raw instanceof Date) return 'a date';
  if (Array.isArray(raw)) return 'a list';
  return typeof raw === 'string' ? 'text' : 'a table';
}

/** Several URLs one by one; but a password may hold a comma, too. */
function maskUrls(urls: string): string {
  return urls.includes('@') ? mask(urls) : urls.split(',').map(mask).join(',');
}

/** A URL without what people hide in one: everything up to an @, a path (a token is part of ThingsBoard's) and the query. */
function mask(url: string): string {
  return url
    .replace(/^(.*?\/\/)?.*@/s, '$1***@')
    .replace(/[?#].*$/s, '?***')
    .replace(/^([^/]*\/\/[^/]*\/).+$/s, '$1***');
}

function quote(text: string): string {
  const characters = [...text];
  const isCut = characters.length > SHOWN_CHARACTERS_MAX;
  const shortened = isCut ? `${characters.slice(0, SHOWN_CHARACTERS_MAX).join('')}…` : text;
  return JSON.stringify(shortened).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escapeCharacter);
}

function escapeCharacter(character: string): string {
  return `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
}
