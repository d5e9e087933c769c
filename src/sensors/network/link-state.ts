/**
 * The link of a network interface: up or down, speed, number of changes
 * (Documentation/ABI/testing/sysfs-class-net).
 */

import { ConfirmedCount } from '../devices/confirmed-count.ts';
import type { HostFiles } from '../files/host-files.ts';
import { readOptional } from '../files/optional-files.ts';
import { invalidText, parseInteger, parseNatural } from '../files/parse.ts';
import type { KeyFilter } from '../runtime/collector.ts';
import type { PartialRead } from '../runtime/partial-read.ts';
import type { NetworkInterface } from './interfaces.ts';

/** Highest rate of changes of a link that a cable or a radio can cause. */
const CHANGES_PER_S_MAX = 1000;

/** The link of one interface. */
export class LinkState {
  readonly #hostFiles: HostFiles;
  readonly #name: string;
  readonly #folder: string;
  readonly #upKey: string | undefined;
  readonly #speedKey: string | undefined;
  readonly #changesKey: string | undefined;
  readonly #changes = new ConfirmedCount(CHANGES_PER_S_MAX);

  constructor(hostFiles: HostFiles, { name, part }: NetworkInterface, isSelected: KeyFilter) {
    const selected = (key: string) => (isSelected(key) ? key : undefined);
    this.#hostFiles = hostFiles;
    this.#name = name;
    this.#folder = `sys/class/net/${name}`;
    this.#upKey = selected(`net${part}Up`);
    this.#speedKey = selected(`net${part}SpeedMbitPerS`);
    this.#changesKey = selected(`net${part}CarrierChanges`);
  }

  /** Adds the selected ones of `net*Up`, `net*SpeedMbitPerS` and `net*CarrierChanges`. */
  readInto(read: PartialRead, atMs: number): void {
    const hostFiles = this.#hostFiles;
    const name = this.#name;
    const folder = this.#folder;
    if (this.#upKey !== undefined) read.attemptValue(name, this.#upKey, () => isUp(hostFiles, folder));
    if (this.#speedKey !== undefined)
      read.attemptValue(name, this.#speedKey, () => readSpeed(hostFiles, folder));
    if (this.#changesKey !== undefined)
      read.attemptValue(name, this.#changesKey, () => {
        const text = readOptional(hostFiles, `${folder}/carrier_changes`);
        if (text === undefined) return undefined;
        return this.#changes.next(parseNatural(text, `/${folder}/carrier_changes`), atMs);
      });
  }
}

/** Mbit/s; undefined while the link is down, or if the driver does not know it. */
export function readSpeed(hostFiles: HostFiles, folder: string): number | undefined {
  const text = readOptional(hostFiles, `${folder}/speed`);
  const mbitPerS = text === undefined ? -1 : parseInteger(text, `/${folder}/speed`);
  // Unknown is -1, or 2^32 - 1 from drivers that treat it as unsigned.
  return mbitPerS > 0 && mbitPerS < 2 ** 32 - 1 ? mbitPerS : undefined;
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
