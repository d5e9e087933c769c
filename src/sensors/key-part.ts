/**
 * Names of the host as parts of keys: `eth0` becomes `Eth0`, `wan-lte.1` `WanLte1`, `/boot/firmware` `BootFirmware`.
 *
 * At most 32 characters, so that a key stays below 64. Two names that would make the same part are told apart by a number, in the
 * order they are given in, which should therefore not depend on chance: `/srv/a-b` and `/srv/a.b` become `SrvAB` and `SrvABX2`.
 */

const CHARACTERS_MAX = 32;

export function keyPart(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('')
    .slice(0, CHARACTERS_MAX);
}

/** The part of each name. `taken` are parts that mean something else already. A name without a letter or digit has none. */
export function keyParts(
  names: readonly string[],
  taken: readonly string[] = [],
): ReadonlyMap<string, string> {
  const used = new Set(taken);
  const parts = new Map<string, string>();
  for (const name of names) {
    const plain = keyPart(name);
    if (plain === '') continue;
    let part = plain;
    for (let number = 2; used.has(part); number += 1) {
      const suffix = `X${number}`;
      part = `${plain.slice(0, CHARACTERS_MAX - suffix.length)}${suffix}`;
    }
    used.add(part);
    parts.set(name, part);
  }
  return parts;
}
