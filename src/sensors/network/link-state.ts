/**
 * The link of a network interface: up or down, speed, number of changes
 * (Documentation/ABI/testing/sysfs-class-net).
 */

import type { HostFiles } from '../files/host-files.ts';
import { readOptional } from '../files/optional-files.ts';
import { invalidText, parseInteger, parseNatural } from '../files/parse.ts';
import type { KeyFilter, Measurements } from '../runtime/collector.ts';
import type { NetworkInterface } from './interfaces.ts';

/** The selected ones of `net*Up`, `net*SpeedMbitPerS` and `net*CarrierChanges`. */
export function readLinkState(
  hostFiles: HostFiles,
  { name, part }: NetworkInterface,
  isSelected: KeyFilter,
): Measurements {
  const [up, speed, changes] = [`net${part}Up`, `net${part}SpeedMbitPerS`, `net${part}CarrierChanges`];
  const folder = `sys/class/net/${name}`;
  const link: Record<string, number | boolean | undefined> = {};
  if (isSelected(up)) link[up] = isUp(hostFiles, folder);
  if (isSelected(speed)) {
    const text = readOptional(hostFiles, `${folder}/speed`);
    const mbitPerS = text === undefined ? -1 : parseInteger(text, `/${folder}/speed`);
    // Unknown is -1, or 2^32 - 1 from drivers that treat it as unsigned.
    link[speed] = mbitPerS > 0 && mbitPerS < 2 ** 32 - 1 ? mbitPerS : undefined;
  }
  if (isSelected(changes)) {
    const text = readOptional(hostFiles, `${folder}/carrier_changes`);
    link[changes] = text === undefined ? undefined : parseNatural(text, `/${folder}/carrier_changes`);
  }
  return link;
}

const DOWN: ReadonlySet<string> = new Set(['down', 'lowerlayerdown', 'notpresent', 'testing', 'dormant']);

/** A driver without an operational state reports "unknown"; then the carrier decides. */
function isUp(hostFiles: HostFiles, folder: string): boolean | undefined {
  const state = readOptional(hostFiles, `${folder}/operstate`);
  if (state === undefined || state === 'up') return state === undefined ? undefined : true;
  if (DOWN.has(state)) return false;
  if (state !== 'unknown') throw invalidText(`/${folder}/operstate`, state);
  return readOptional(hostFiles, `${folder}/carrier`) === '1';
}
