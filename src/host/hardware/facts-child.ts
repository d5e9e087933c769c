/**
 * The other end of facts.ts: what the hidden command `facts` does in a process of its own.
 *
 * systeminformation is loaded here and nowhere else. It runs a dozen shell commands with execSync, each of which stops the event
 * loop until it returns, and costs 8 MiB: fine for a process that lives a tenth of a second, not for one that lives for years.
 * Prints one JSON object; what nobody knows is not in it. A board with a device tree is asked first: systeminformation knows
 * the models of the Raspberry Pi only, and of other ARM boards nothing. What a Raspberry Pi's revision code says is read from it (pi-revision.ts). Addresses are not asked for: node:os has them for nothing.
 */

import { readFile } from 'node:fs/promises';
import { factText, serialText } from './facts-text.ts';
import { type PiBoard, piBoard } from './pi-revision.ts';

/** The attributes a child may deliver. */
export const CHILD_KEYS = [
  'hardwareModel',
  'hardwareSerial',
  'hardwareRevision',
  'hardwareMemory',
  'hardwareManufacturer',
  'hardwareProcessor',
  'osName',
  'osVersion',
] as const;
export type ChildFacts = Partial<Record<(typeof CHILD_KEYS)[number], string | undefined>>;

export async function printFacts(out: { write(text: string): unknown } = process.stdout): Promise<void> {
  const { default: si } = await import('systeminformation');
  // One at a time: they share module state, and the host is busy booting.
  const system = await orUndefined(() => si.system());
  const board = await orUndefined(() => si.baseboard());
  const os = await orUndefined(() => si.osInfo());
  const pi = await orUndefined(async () => piBoard(await readFile('/proc/cpuinfo', 'latin1')));
  const facts: ChildFacts = {
    ...piFacts(pi),
    hardwareModel: firstUsable(
      [await deviceTree('model'), pi?.model && `Raspberry Pi ${pi.model}`, system?.model, board?.model],
      (text) => factText(text, 'model '),
    ),
    hardwareSerial: firstUsable(
      [await deviceTree('serial-number'), system?.serial, board?.serial],
      serialText,
    ),
    osName: factText(os?.distro, 'os '),
    osVersion: osVersion(os?.release, os?.codename),
  };
  out.write(`${JSON.stringify(facts)}\n`);
}

/** What the revision code of a Raspberry Pi says; the revision as "rev 1.4 (c03114)", which no server takes for a number. */
export function piFacts(pi: PiBoard | undefined): ChildFacts {
  return {
    hardwareRevision: pi && `rev ${pi.revision ?? 'unknown'} (${pi.code})`,
    hardwareMemory: pi?.memory,
    hardwareManufacturer: pi?.manufacturer,
    hardwareProcessor: pi?.processor,
  };
}

/** "13 (trixie)", which no server takes for a number; "v13" where there is no code name. */
export function osVersion(release: string | undefined, codename: string | undefined): string | undefined {
  const version = factText(release, 'v');
  const name = factText(codename, 'v');
  if (version === undefined || name === undefined) return version;
  return factText(`${release} (${name})`, 'v');
}

async function orUndefined<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

async function deviceTree(property: string): Promise<string | undefined> {
  return orUndefined(async () =>
    (await readFile(`/proc/device-tree/${property}`, 'utf8')).replaceAll('\0', ''),
  );
}

function firstUsable(
  candidates: readonly (string | undefined)[],
  normalise: (candidate: string | undefined) => string | undefined,
): string | undefined {
  return candidates.map(normalise).find((text) => text !== undefined);
}
