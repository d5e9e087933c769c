/**
 * Parts of telemetry keys, made from names of chips, labels and serial numbers: a series continues after a
 * restart, and a dashboard fits other gateways. A chip that exists once has its plain name; two of one name
 * both get their address. A series never holds values of two chips, but adding a second chip starts a new
 * series for the first one.
 */

/** Contract section 4.2. */
const KEY_CHARACTERS_MAX = 64;
const HASH_CHARACTERS = 6;
/** In place of an address: a device that is on no bus is below /sys/devices/virtual. */
const VIRTUAL = 'Virtual';

/**
 * A label as a part of a key: `Package id 0` becomes `PackageId0`, `SYSTIN` becomes `Systin` (a unit follows
 * it: `SystinC`), `+3.3V` becomes `3p3V`, `-12V` becomes `Minus12V`.
 */
export function labelPart(label: string): string {
  return keyPart(
    label
      .replaceAll(/\b[A-Z]{2,}(?=\d*\b)/g, (word) => word.toLowerCase())
      .replaceAll(/(^|\s)-(?=\d)/g, '$1minus ')
      .replaceAll(/(\d)\.(?=\d)/g, '$1p'),
  );
}

/** The pattern with `part` in place of its `*`; a part that is too long ends in a hash of itself. */
export function fillKey(pattern: string, part: string): string {
  const lengthMax = KEY_CHARACTERS_MAX - (pattern.length - 1);
  const fittedPart =
    part.length <= lengthMax ? part : `${part.slice(0, lengthMax - HASH_CHARACTERS)}${hash(part)}`;
  return pattern.replace('*', () => fittedPart);
}

export interface NamedDevice {
  readonly name: string;
  /** Result of `addressOf`. */
  readonly address: string;
}

/**
 * Devices with a unique key part. Devices without a name are left out, and those that share name and address.
 */
export function assignKeyParts<T extends NamedDevice>(
  all: readonly T[],
): readonly { readonly part: string; readonly item: T }[] {
  const candidates = all
    .map((item) => ({ item, basePart: labelPart(item.name) }))
    .filter(({ basePart }) => basePart !== '');
  const basePartCounts = countOccurrences(candidates.map(({ basePart }) => basePart));
  const parts = candidates.map(({ item, basePart }) => ({
    item,
    part: basePartCounts.get(basePart) === 1 ? basePart : `${basePart}${addressPart(item.address)}`,
  }));
  const counts = countOccurrences(parts.map(({ part }) => part));
  return parts.filter(({ part }) => counts.get(part) === 1);
}

/** Items with a unique key: chip name and label of two channels can combine to one key. */
export function filterUniqueKeys<T extends { readonly key: string }>(all: readonly T[]): readonly T[] {
  const counts = countOccurrences(all.map(({ key }) => key));
  return all.filter(({ key }) => counts.get(key) === 1);
}

/** `0000:01:00.0` becomes `At000001000`: `At` separates it from a name that ends in a digit. */
function addressPart(address: string): string {
  return `At${keyPart(address.toLowerCase()) || VIRTUAL}`;
}

export function countOccurrences(texts: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
  return counts;
}

/** FNV-1a, 32 bits, in base 36. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return value.toString(36).padStart(HASH_CHARACTERS, '0').slice(-HASH_CHARACTERS);
}

/** Keeps a key below 64 characters. */
const PART_CHARACTERS_MAX = 32;

/**
 * A name as a part of a key: `eth0` becomes `Eth0`, `wan-lte.1` `WanLte1`, `/boot/firmware` `BootFirmware`.
 */
export function keyPart(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
    .slice(0, PART_CHARACTERS_MAX);
}

/**
 * The part of each name; a name without a letter or digit has none. Equal parts are numbered in the order of
 * `names`, which must therefore be stable: `/srv/a-b` and `/srv/a.b` become `SrvAB` and `SrvABX2`. `reserved`
 * are parts in other use.
 */
export function keyParts(
  names: readonly string[],
  reserved: readonly string[] = [],
): ReadonlyMap<string, string> {
  const used = new Set(reserved);
  const parts = new Map<string, string>();
  for (const name of names) {
    const basePart = keyPart(name);
    if (basePart === '') continue;
    let part = basePart;
    for (let number = 2; used.has(part); number += 1) {
      const suffix = `X${number}`;
      part = `${basePart.slice(0, PART_CHARACTERS_MAX - suffix.length)}${suffix}`;
    }
    used.add(part);
    parts.set(name, part);
  }
  return parts;
}
