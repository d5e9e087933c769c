/** Writes one CoAP message (RFC 7252 section 3). Options must be added in the order of their numbers. */

/** The largest message of ThingsBoard (contract section 2). */
const BYTES_MAX = 2_048;
/** Values of a nibble that announce one and two more bytes, and from where these count (section 3.1). */
const [ONE_BYTE, ONE_BYTE_FROM] = [13, 13];
const [TWO_BYTES, TWO_BYTES_FROM] = [14, 269];
const PAYLOAD_MARKER = 0xff;
const VERSION = 1;
const TOKEN_BYTES_MAX = 8;
const UINT_MAX = 2 ** 32 - 1;

/** Shared, because a message is written without a pause and copied at its end. */
const buffer = Buffer.allocUnsafeSlow(BYTES_MAX);

export interface MessageHeader {
  readonly isConfirmable: boolean;
  /** The byte of the code: 1 is GET, 2 is POST. */
  readonly code: number;
  readonly messageId: number;
  /** Hex, at most 8 bytes. */
  readonly token: string;
}

/** Use one at a time. All methods throw a RangeError if the message would have more than 2,048 bytes, or for a value out of range. */
export class MessageWriter {
  #length = 0;
  #lastOption = 0;

  constructor({ isConfirmable, code, messageId, token }: MessageHeader) {
    const tokenBytes = token.length / 2;
    if (!Number.isInteger(tokenBytes) || tokenBytes > TOKEN_BYTES_MAX)
      throw new RangeError(`a token of ${tokenBytes} bytes, which must be 0 to ${TOKEN_BYTES_MAX}`);
    const type = isConfirmable ? 0 : 1;
    this.#addByte((VERSION << 6) | (type << 4) | tokenBytes);
    this.#addByte(code);
    this.#addByte(messageId >> 8);
    this.#addByte(messageId & 0xff);
    this.#addText(token, tokenBytes, 'hex');
  }

  addText(option: number, text: string): void {
    const bytes = Buffer.byteLength(text);
    this.#addOptionHead(option, bytes);
    this.#addText(text, bytes, 'utf8');
  }

  /** In the shortest form: 0 has no byte (section 3.2). At most 32 bits. */
  addUint(option: number, value: number): void {
    if (!(value >= 0 && value <= UINT_MAX)) throw new RangeError(`option ${option} is ${value}`);
    const bytes = 4 - Math.floor(Math.clz32(value) / 8);
    this.#addOptionHead(option, bytes);
    for (let at = bytes - 1; at >= 0; at -= 1) this.#addByte((value >>> (8 * at)) & 0xff);
  }

  /** The message, with the payload unless it is empty, for which the format has no marker. */
  finish(payload: Buffer | undefined): Buffer {
    if (payload !== undefined && payload.length > 0) {
      this.#addByte(PAYLOAD_MARKER);
      this.#checkRoom(payload.length);
      this.#length += payload.copy(buffer, this.#length);
    }
    return Buffer.from(buffer.subarray(0, this.#length));
  }

  #addOptionHead(option: number, bytes: number): void {
    const delta = option - this.#lastOption;
    this.#lastOption = option;
    this.#addByte((nibble(delta) << 4) | nibble(bytes));
    this.#addExtension(delta);
    this.#addExtension(bytes);
  }

  #addExtension(value: number): void {
    if (value >= TWO_BYTES_FROM) {
      this.#addByte((value - TWO_BYTES_FROM) >> 8);
      this.#addByte((value - TWO_BYTES_FROM) & 0xff);
    } else if (value >= ONE_BYTE_FROM) this.#addByte(value - ONE_BYTE_FROM);
  }

  #addText(text: string, bytes: number, encoding: 'hex' | 'utf8'): void {
    this.#checkRoom(bytes);
    buffer.write(text, this.#length, encoding);
    this.#length += bytes;
  }

  #addByte(byte: number): void {
    this.#checkRoom(1);
    buffer[this.#length] = byte;
    this.#length += 1;
  }

  #checkRoom(bytes: number): void {
    if (this.#length + bytes > BYTES_MAX)
      throw new RangeError(`a CoAP message of more than ${BYTES_MAX} bytes`);
  }
}

function nibble(value: number): number {
  if (value >= TWO_BYTES_FROM) return TWO_BYTES;
  return value >= ONE_BYTE_FROM ? ONE_BYTE : value;
}
