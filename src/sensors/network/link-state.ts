/** The link of a network interface: up or down, how fast, how often it changed (Documentation/ABI/testing/sysfs-class-net). */

import { NonsenseError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';
import { readIfThere } from '../files/optional-files.ts';
import { integer, natural } from '../files/parse.ts';
import type { Measured, Wants } from '../runtime/collector.ts';
import type { Interface } from './interfaces.ts';

/** Of one interface: `net*Up`, `net*SpeedMbitPerS` and `net*CarrierChanges`, as far as they are wanted and there. */
export function linkOf(tree: Tree, { name, part }: Interface, wants: Wants): Measured {
  const [up, speed, changes] = [`net${part}Up`, `net${part}SpeedMbitPerS`, `net${part}CarrierChanges`];
  const folder = `sys/class/net/${name}`;
  const link: Record<string, number | boolean | undefined> = {};
  if (wants(up)) link[up] = isUp(tree, folder);
  if (wants(speed)) {
    const text = readIfThere(tree, `${folder}/speed`);
    const mbitPerS = text === undefined ? -1 : integer(text, `/${folder}/speed`);
    // -1, or the same as an unsigned number: unknown.
    link[speed] = mbitPerS > 0 && mbitPerS < 2 ** 32 - 1 ? mbitPerS : undefined;
  }
  if (wants(changes)) {
    const text = readIfThere(tree, `${folder}/carrier_changes`);
    link[changes] = text === undefined ? undefined : natural(text, `/${folder}/carrier_changes`);
  }
  return link;
}

const DOWN: ReadonlySet<string> = new Set(['down', 'lowerlayerdown', 'notpresent', 'testing', 'dormant']);

/** A driver that keeps no state says "unknown", and has a carrier or not. */
function isUp(tree: Tree, folder: string): boolean | undefined {
  const state = readIfThere(tree, `${folder}/operstate`);
  if (state === undefined || state === 'up') return state === undefined ? undefined : true;
  if (DOWN.has(state)) return false;
  if (state !== 'unknown')
    throw new NonsenseError(`/${folder}/operstate is ${JSON.stringify(state.slice(0, 24))}`);
  return readIfThere(tree, `${folder}/carrier`) === '1';
}
