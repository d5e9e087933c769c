/**
 * The lexer of `lenient-json.ts`: blanks, comments, quoted text and bare words, like Gson's lenient reader
 * (contract section 4.3), including raw line breaks in quotes. Every error has line and column.
 */

/** Thrown by lexer and parser; `parseLenientJson` converts it to a result. */
export class MalformedText extends Error {
  override readonly name = 'MalformedText';
  readonly code = 'MALFORMED_TEXT';
}

const BYTE_ORDER_MARK = '\uFEFF';
const BLANKS = new Set([' ', '\t', '\n', '\r']);
const WORD_ENDS = new Set('/\\;#={}[]:, \t\f\r\n');
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['t', '\t'],
  ['b', '\b'],
  ['n', '\n'],
  ['r', '\r'],
  ['f', '\f'],
  ['\n', '\n'],
  ["'", "'"],
  ['"', '"'],
  ['\\', '\\'],
  ['/', '/'],
]);

export class TextCursor {
  readonly #text: string;
  #at: number;

  constructor(text: string) {
    this.#text = text;
    this.#at = text.startsWith(BYTE_ORDER_MARK) ? BYTE_ORDER_MARK.length : 0;
  }

  /** The next character after blanks and comments, without consuming it; empty at the end of the text. */
  peek(): string {
    for (;;) {
      const char = this.#text.charAt(this.#at);
      if (BLANKS.has(char)) this.#at += 1;
      else if (char === '#' || this.#text.startsWith('//', this.#at)) this.#skipLine();
      else if (this.#text.startsWith('/*', this.#at)) this.#skipBlock();
      else return char;
    }
  }

  /** Like `peek`, but throws at the end of the text. */
  expectMore(): string {
    const char = this.peek();
    if (char === '') throw this.malformed('End of input');
    return char;
  }

  /** Consumes one character. */
  advance(): void {
    this.#at += 1;
  }

  /** Consumes the next character if it is `char`; returns whether it was. */
  take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at += 1;
    return true;
  }

  /** Characters that need no quotes; may be empty. */
  word(): string {
    const start = this.#at;
    while (this.#at < this.#text.length && !WORD_ENDS.has(this.#text.charAt(this.#at))) this.#at += 1;
    return this.#text.slice(start, this.#at);
  }

  /** The text up to the closing quote, after the opening one. */
  quoted(quote: string): string {
    let result = '';
    let start = this.#at;
    for (; this.#at < this.#text.length; ) {
      const char = this.#text.charAt(this.#at);
      if (char !== quote && char !== '\\') {
        this.#at += 1;
        continue;
      }
      result += this.#text.slice(start, this.#at);
      this.#at += 1;
      if (char === quote) return result;
      result += this.#escape();
      start = this.#at;
    }
    throw this.malformed('Unterminated string');
  }

  malformed(problem: string): MalformedText {
    const lines = this.#text.slice(0, this.#at).split('\n');
    const column = (lines.at(-1)?.length ?? 0) + 1;
    return new MalformedText(`${problem} at line ${lines.length} column ${column}`);
  }

  #escape(): string {
    const char = this.#text.charAt(this.#at);
    this.#at += 1;
    if (char === 'u') {
      const digits = this.#text.slice(this.#at, this.#at + 4);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.malformed('Malformed Unicode escape');
      this.#at += 4;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const plain = ESCAPES.get(char);
    if (plain === undefined) throw this.malformed('Invalid escape sequence');
    return plain;
  }

  #skipLine(): void {
    while (this.#at < this.#text.length && !'\r\n'.includes(this.#text.charAt(this.#at))) this.#at += 1;
  }

  #skipBlock(): void {
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end < 0) throw this.malformed('Unterminated comment');
    this.#at = end + 2;
  }
}
