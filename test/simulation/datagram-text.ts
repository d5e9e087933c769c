/**
 * Reads the header of a CoAP datagram: fast enough for every datagram of ten thousand boots, and independent
 * of the parsers of the agent and of the sandbox.
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

const MARKER = Buffer.from([0xff, 0x7b]); // the payload marker and the first brace of a JSON object

/** The JSON object in the payload; undefined if there is none. */
export function readJson(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  const at = bytes.indexOf(MARKER, 4 + (bytes.readUInt8(0) & 15)); // the token may hold any bytes
  if (at < 0) return undefined;
  const parsed: unknown = JSON.parse(bytes.toString('utf8', at + 1));
  return parsed as Record<string, unknown>;
}

export function isProvisioning(bytes: Buffer): boolean {
  return bytes.includes('provisionDeviceKey');
}

/** Describes a datagram without message ID and token, which are random in each run. */
export function describeDatagram(bytes: Buffer): string {
  const { type, code } = readHeader(bytes);
  const purpose = isProvisioning(bytes) ? ' provision' : '';
  return `${type} ${code}${purpose} ${bytes.length} B`;
}
