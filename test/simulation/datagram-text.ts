/**
 * A CoAP datagram's header, read by hand: cheap enough to look at every datagram of ten thousand boots, and
 * independent of both the agent's and the sandbox's readers.
 */

export interface Header {
  readonly type: 'CON' | 'NON' | 'ACK' | 'RST';
  /** `0.02`, `2.05`, … */
  readonly code: string;
  readonly messageId: number;
}

const TYPES = ['CON', 'NON', 'ACK', 'RST'] as const;

export function readHeader(bytes: Buffer): Header {
  const first = bytes.readUInt8(0);
  const code = bytes.readUInt8(1);
  return {
    type: TYPES[(first >> 4) & 3] ?? 'RST',
    code: `${code >> 5}.${String(code & 0x1f).padStart(2, '0')}`,
    messageId: bytes.readUInt16BE(2),
  };
}

const MARKER = Buffer.from([0xff, 0x7b]); // the payload marker and the brace a JSON object begins with

/** The JSON object in the payload; undefined when the payload is none. */
export function readJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  const at = bytes.indexOf(MARKER, 4 + (bytes.readUInt8(0) & 15)); // the token may hold any bytes
  if (at < 0) return undefined;
  const parsed: unknown = JSON.parse(bytes.toString('utf8', at + 1));
  return parsed as Record<string, unknown>;
}

export function isProvisioning(bytes: Buffer): boolean {
  return bytes.includes('provisionDeviceKey');
}

/** Without message ID and token, which are drawn from the operating system. */
export function describeDatagram(bytes: Buffer): string {
  const { type, code } = readHeader(bytes);
  const about = isProvisioning(bytes) ? ' provision' : '';
  return `${type} ${code}${about} ${bytes.length} B`;
}
