/**
 * Serial numbers and MAC addresses that look like those of one board and are those of many: they identify none.
 *
 * The lists hold what was seen in the field; the patterns what nobody assigns to one board. Nothing else can be
 * recognised on a single host.
 */

/** Lower case, without separators. */
const SHARED_SERIALS: ReadonlySet<string> = new Set([
  'c3d9b8674f4b94f6', // device tree of Rockchip px30 boards
  '03000200040005000006000700080009', // DMI UUID of the AMI reference firmware
]);

/** Lower case, without separators. */
const SHARED_MACS: ReadonlySet<string> = new Set([
  '000011121314', // Intel XMM modems (Fibocom L850, L860)
  '000102030405', // Huawei modems
  '0c5b8f279a64', // Huawei HiLink modems
  '001e101f0000', // Huawei HiLink modems
  '582c80139263', // Huawei modems in NCM mode
  '00e04c534458', // USB Ethernet adapters with RD9700 or SR9700
]);

/** A run of hexadecimal digits that count up or down. */
const COUNTING = ['0123456789abcdef', 'fedcba9876543210', '1234567890abcdef'].map((digits) =>
  digits.repeat(3),
);
const PATTERN_CHARACTERS_MIN = 8;

/** True for a serial number that boards share. Placeholders of firmware are in facts-text.ts. */
export function isSharedSerial(serial: string): boolean {
  const text = serial.toLowerCase().replaceAll(/[\s.:_-]/g, '');
  if (SHARED_SERIALS.has(text)) return true;
  if (text.length < PATTERN_CHARACTERS_MIN) return false;
  return /^(.)\1*$/.test(text) || COUNTING.some((digits) => digits.includes(text));
}

/**
 * True for an address (12 hex digits) that identifies no board: locally administered (IEEE 802, bit 0x02 of the
 * first byte), as boot loaders and drivers make at random while the kernel calls it permanent; known to be
 * shared; or without a number of its own after the maker's three bytes, as 00:a0:c6:00:00:00 of Qualcomm's
 * modems.
 */
export function isSharedMac(address: string): boolean {
  const LOCALLY_ADMINISTERED = 0x02;
  const isLocal = (Number.parseInt(address.slice(0, 2), 16) & LOCALLY_ADMINISTERED) !== 0;
  return isLocal || SHARED_MACS.has(address) || address.endsWith('000000');
}
