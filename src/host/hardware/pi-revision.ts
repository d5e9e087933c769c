/**
 * Decodes the revision code of a Raspberry Pi: model, memory, manufacturer, processor and revision.
 *
 * Source: Raspberry Pi documentation, "Raspberry Pi revision codes". New codes (bit 23) have a field for
 * each; old ones, before the Raspberry Pi 2, are numbers in a table. Unknown values are left out. The bits
 * for overvoltage and warranty are ignored. Pure.
 */

export interface PiBoard {
  /** "4 Model B" */
  readonly model: string | undefined;
  readonly memory: string | undefined;
  readonly manufacturer: string | undefined;
  readonly processor: string | undefined;
  /** "1.4" */
  readonly revision: string | undefined;
  /** Lower-case hexadecimal, without overvoltage and warranty bits. */
  readonly code: string;
}

/**
 * Parses the text of /proc/cpuinfo. Undefined for other boards, whose line "Revision" has another meaning.
 */
export function parsePiBoard(cpuinfo: string): PiBoard | undefined {
  if (!/^Model\s*:\s*Raspberry Pi\b/m.test(cpuinfo) && !/^Hardware\s*:\s*BCM2[78]\d\d\b/m.test(cpuinfo)) {
    return undefined;
  }
  const text = /^Revision\s*:\s*([0-9a-f]{4,8})$/im.exec(cpuinfo)?.[1];
  return text === undefined ? undefined : decode(Number.parseInt(text, 16));
}

const NEW_STYLE = 1 << 23;
const NEW_STYLE_BITS = 0xff_ffff;
const OLD_STYLE_BITS = 0xffff;

const MODELS: Readonly<Record<number, string>> = {
  0: 'Model A',
  1: 'Model B',
  2: 'Model A Plus',
  3: 'Model B Plus',
  4: '2 Model B',
  6: 'Compute Module 1',
  8: '3 Model B',
  9: 'Zero',
  10: 'Compute Module 3',
  12: 'Zero W',
  13: '3 Model B Plus',
  14: '3 Model A Plus',
  16: 'Compute Module 3 Plus',
  17: '4 Model B',
  18: 'Zero 2 W',
  19: '400',
  20: 'Compute Module 4',
  21: 'Compute Module 4S',
  23: '5 Model B',
  24: 'Compute Module 5',
  25: '500',
  26: 'Compute Module 5 Lite',
};
const MEMORIES = ['256 MB', '512 MB', '1 GB', '2 GB', '4 GB', '8 GB', '16 GB'];
const MANUFACTURERS = ['Sony UK', 'Egoman', 'Embest', 'Sony Japan', 'Embest', 'Stadium'];
const PROCESSORS = ['BCM2835', 'BCM2836', 'BCM2837', 'BCM2711', 'BCM2712'];

/** Model, revision, memory, manufacturer. Code 0015 exists with 256 MB and 512 MB. */
const OLD_STYLE: Readonly<Record<number, readonly [string, string, string | undefined, string]>> = {
  2: ['Model B', '1.0', '256 MB', 'Egoman'],
  3: ['Model B', '1.0', '256 MB', 'Egoman'],
  4: ['Model B', '2.0', '256 MB', 'Sony UK'],
  5: ['Model B', '2.0', '256 MB', 'Qisda'],
  6: ['Model B', '2.0', '256 MB', 'Egoman'],
  7: ['Model A', '2.0', '256 MB', 'Egoman'],
  8: ['Model A', '2.0', '256 MB', 'Sony UK'],
  9: ['Model A', '2.0', '256 MB', 'Qisda'],
  13: ['Model B', '2.0', '512 MB', 'Egoman'],
  14: ['Model B', '2.0', '512 MB', 'Sony UK'],
  15: ['Model B', '2.0', '512 MB', 'Egoman'],
  16: ['Model B Plus', '1.2', '512 MB', 'Sony UK'],
  17: ['Compute Module 1', '1.0', '512 MB', 'Sony UK'],
  18: ['Model A Plus', '1.1', '256 MB', 'Sony UK'],
  19: ['Model B Plus', '1.2', '512 MB', 'Embest'],
  20: ['Compute Module 1', '1.0', '512 MB', 'Embest'],
  21: ['Model A Plus', '1.1', undefined, 'Embest'],
};

function decode(code: number): PiBoard {
  if ((code & NEW_STYLE) === 0) return decodeOld(code & OLD_STYLE_BITS);
  const field = (lowest: number, bits: number) => (code >>> lowest) & ((1 << bits) - 1);
  return {
    model: MODELS[field(4, 8)],
    memory: MEMORIES[field(20, 3)],
    manufacturer: MANUFACTURERS[field(16, 4)],
    processor: PROCESSORS[field(12, 4)],
    revision: `1.${field(0, 4)}`,
    code: (code & NEW_STYLE_BITS).toString(16),
  };
}

function decodeOld(code: number): PiBoard {
  const [model, revision, memory, manufacturer] = OLD_STYLE[code] ?? [];
  const processor = model === undefined ? undefined : PROCESSORS[0];
  return { model, memory, manufacturer, processor, revision, code: code.toString(16).padStart(4, '0') };
}
