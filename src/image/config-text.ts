/**
 * Decodes an imported configuration. Accepts UTF-8, UTF-16 with a byte order mark ("Unicode" in Windows' Notepad), and the line
 * ends of Windows and old Macs. Any other encoding is a problem, because a guess could be wrong. A problem continues "it …".
 */

export type DecodedText =
  | { readonly is: 'text'; readonly text: string }
  | { readonly is: 'unusable'; readonly what: string; readonly line?: number };

/** The limit of the configuration loader. */
export const SOURCE_BYTES_MAX = 256 * 1024;

const AS_UTF8 = 'save it as UTF-8 (in Notepad: File, Save as, Encoding: UTF-8)';
const NEWLINE = 0x0a;

export function decodeText(bytes: Buffer): DecodedText {
  if (bytes.length > SOURCE_BYTES_MAX) return unusable(`is larger than ${SOURCE_BYTES_MAX / 1024} KiB`);
  if (bytes.length === 0) return unusable('is empty');
  if (bytes.every((byte) => byte === 0)) {
    return unusable(
      'contains only zeros because it was not copied completely; copy it again and eject the card or drive',
    );
  }
  const byteOrderMark = bytes.readUIntBE(0, Math.min(2, bytes.length));
  if (byteOrderMark === 0xff_fe) return decodeAs(bytes.subarray(2), 'utf-16le');
  if (byteOrderMark === 0xfe_ff) return decodeAs(swapBytes(bytes.subarray(2)), 'utf-16le');
  const text = decodeAs(bytes, 'utf-8');
  if (text.is === 'text' && text.text.includes('\0')) {
    return looksLikeUtf16(bytes)
      ? unusable(`is UTF-16 text without a byte order mark; ${AS_UTF8}`)
      : unusable(
          'contains zeros because it was not copied completely; copy it again and eject the card or drive',
        );
  }
  return text;
}

/** The first line with curly quotes outside comments. TOML supports straight quotes only. */
export function curlyQuotesLine(text: string): number | undefined {
  const index = text.split('\n').findIndex((line) => /^[^#"']*[\u2018-\u201f\u00ab\u00bb]/.test(line));
  return index < 0 ? undefined : index + 1;
}

function decodeAs(bytes: Buffer, encoding: 'utf-8' | 'utf-16le'): DecodedText {
  try {
    // The decoder removes the byte order mark of UTF-8.
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes).replaceAll(/\r\n?/g, '\n');
    return text.trim() === '' ? unusable('is empty') : { is: 'text', text };
  } catch {
    if (encoding !== 'utf-8') return unusable(`is incomplete UTF-16 text; ${AS_UTF8}`);
    return { ...unusable(`contains a character that is not UTF-8; ${AS_UTF8}`), line: firstBadLine(bytes) };
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
