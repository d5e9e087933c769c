/**
 * The hidden command `facts`, run by facts.ts in its own process: prints the known facts as a JSON object.
 *
 * Only this file loads systeminformation: it blocks the event loop with a dozen execSync calls and costs 8
 * MiB. The device tree takes precedence, because of ARM boards systeminformation knows the models of the
 * Raspberry Pi only.
 */

import { readFile } from 'node:fs/promises';
import { factText, serialText } from './facts-text.ts';
import { type PiBoard, parsePiBoard } from './pi-revision.ts';

/** The attributes that the child may deliver. */
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
  // One at a time, because they share module state and the host is busy booting.
  const system = await attempt(() => si.system());
  const board = await attempt(() => si.baseboard());
  const os = await attempt(() => si.osInfo());
  const pi = await attempt(async () => parsePiBoard(await readFile('/proc/cpuinfo', 'latin1')));
  const facts: ChildFacts = {
    ...piFacts(pi),
    hardwareModel: firstUsable(
      [await readDeviceTree('model'), pi?.model && `Raspberry Pi ${pi.model}`, system?.model, board?.model],
      (text) => factText(text, 'model '),
    ),
    hardwareSerial: firstUsable(
      [await readDeviceTree('serial-number'), system?.serial, board?.serial],
      serialText,
    ),
    osName: factText(os?.distro, 'os '),
    osVersion: osVersion(os?.release, os?.codename),
  };
  out.write(`${JSON.stringify(facts)}\n`);
}

/** The revision is "rev 1.4 (c03114)", which no server parses as a number. */
export function piFacts(pi: PiBoard | undefined): ChildFacts {
  return {
    hardwareRevision: pi && `rev ${pi.revision ?? 'unknown'} (${pi.code})`,
    hardwareMemory: pi?.memory,
    hardwareManufacturer: pi?.manufacturer,
    hardwareProcessor: pi?.processor,
  };
}

/** "13 (trixie)", which no server parses as a number; "v13" if there is no code name. */
export function osVersion(release: string | undefined, codename: string | undefined): string | undefined {
  const version = factText(release, 'v');
  const name = factText(codename, 'v');
  if (version === undefined || name === undefined) return version;
  return factText(`${release} (${name})`, 'v');
}

async function attempt<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read();
  } catch {
    return undefined;
  }
}

async function readDeviceTree(property: string): Promise<string | undefined> {
  return attempt(async () => (await readFile(`/proc/device-tree/${property}`, 'utf8')).replaceAll('\0', ''));
}

function firstUsable(
  candidates: readonly (string | undefined)[],
  normalise: (candidate: string | undefined) => string | undefined,
): string | undefined {
  return candidates.map(normalise).find((text) => text !== undefined);
}
