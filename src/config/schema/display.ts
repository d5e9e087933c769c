/**
 * Formats configured values for output: on one line, bounded, and never a secret.
 *
 * *** replaces secrets, the user information, path and query of a URL, and a path that is not absolute, because it may be the
 * secret itself under the wrong key. The content of tables and lists is not shown.
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

/** A key in TOML: bare if possible, otherwise quoted, with control characters escaped. */
export function formatKey(path: readonly string[]): string {
  return path.map((part) => (/^[A-Za-z0-9_-]{1,80}$/.test(part) ? part : quote(part))).join('.');
}

/** The type of a value, with its article. */
export function describeType(raw: unknown): string {
  if (typeof raw === 'number' || typeof raw === 'bigint') return 'a bare number';
  if (typeof raw === 'boolean') return 'a boolean';
  if (raw instanceof Date) return 'a date';
  if (Array.isArray(raw)) return 'a list';
  return typeof raw === 'string' ? 'text' : 'a table';
}

/** Each URL of a list; a list with user information as a whole, because a password may contain a comma. */
function maskUrls(urls: string): string {
  return urls.includes('@') ? mask(urls) : urls.split(',').map(mask).join(',');
}

/** Masks everything before an @, the path (ThingsBoard's contain the token) and the query. */
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
