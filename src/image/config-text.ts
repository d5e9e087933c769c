/**
 * What a person's editor made of the configuration: bytes in, text as the loader wants it out, or what is wrong in words
 * that continue "the file …".
 *
 * Taken as they are: UTF-8 with a mark in front, UTF-16 with one (what Windows' Notepad calls Unicode), line ends of Windows
 * and of old Macs. Told, because a guess could be wrong: UTF-16 without a mark, any other encoding, a file that is empty.
 */

export type DecodedText =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'unusable'; readonly what: string; readonly line?: number };

/** As the loader's own bound. */
export const SOURCE_BYTES_MAX = 256 * 1024;

const AS_UTF8 = 'save it as UTF-8 (in Notepad: File, Save as, Encoding: UTF-8)';
const NEWLINE = 0x0a;

export function decodeText(bytes: Buffer): DecodedText {
  if (bytes.length > SOURCE_BYTES_MAX) return unusable(`is larger than ${SOURCE_BYTES_MAX / 1024} KiB`);
  if (bytes.length === 0) return unusable('is empty');
  if (bytes.every((byte) => byte === 0)) {
    return unusable(
      'holds nothing but zeros: it was not copied to the end; copy it again and eject the card first',
    );
  }
  const byteOrderMark = bytes.readUIntBE(0, Math.min(2, bytes.length));
  if (byteOrderMark === 0xff_fe) return decodeAs(bytes.subarray(2), 'utf-16le');
  if (byteOrderMark === 0xfe_ff) return decodeAs(swapBytes(bytes.subarray(2)), 'utf-16le');
  const text = decodeAs(bytes, 'utf-8');
  if (text.is === 'text' && text.text.includes('\0')) {
    return looksLikeUtf16(bytes)
      ? unusable(`is UTF-16 text without a mark; ${AS_UTF8}`)
      : unusable('has zeros in it: it was not copied to the end; copy it again and eject the card first');
  }
  return text;
}

/** The first line with quotes that a word processor made, outside of comments: TOML knows the straight ones only. */
export function curlyQuotesLine(text: string): number | undefined {
  const index = text.split('\n').findIndex((line) => /^[^#"']*[\u2018-\u201f\u00ab\u00bb]/.test(line));
  return index < 0 ? undefined : index + 1;
}

function decodeAs(bytes: Buffer, encoding: 'utf-8' | 'utf-16le'): DecodedText {
  try {
    // The decoder takes the mark of UTF-8 away by itself.
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes).replaceAll(/\r\n?/g, '\n');
    return text.trim() === '' ? unusable('is empty') : { is: 'text', text };
  } catch {
    if (encoding !== 'utf-8') return unusable(`is torn UTF-16 text; ${AS_UTF8}`);
    return { ...unusable(`has a character that is not UTF-8; ${AS_UTF8}`), line: firstBadLine(bytes) };
  }
}

function firstBadLine(bytes: Buffer): number {
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(NEWLINE, from);
    const until = end < 0 ? bytes.length : end;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(from, until));
    } catch {
      return line;
    }
    from = until + 1;
  }
  return line;
}

/** Every other byte of plain text in UTF-16 is zero. */
function looksLikeUtf16(bytes: Buffer): boolean {
  const zeros = bytes.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  return zeros * 3 > bytes.length;
}

function swapBytes(bytes: Buffer): Buffer {
  const even = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % 2)));
  return even.swap16();
}

function unusable(what: string): DecodedText & { readonly is: 'unusable' } {
  return { is: 'unusable', what };
}
