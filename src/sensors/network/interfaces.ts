/**
 * Selects the network interfaces to report, and names them for keys. Physical interfaces have a device in
 * /sys; bridges, VLANs, tunnels and container ends have none and would count the same bytes twice. If no
 * interface was ever physical, as in a container, those that are up count, without loopback and container
 * engines. A host whose only adapter was removed reports none.
 */

import { isContainerInterface } from '../../core/model/container-interface.ts';
import { keyParts } from '../devices/keys.ts';
import type { HostFiles } from '../files/host-files.ts';
import { invalidText } from '../files/parse.ts';

/** A gateway has two or three. Each key permanently occupies an entry of the server's key dictionary. */
export const INTERFACES_MAX = 16;
const UP_FLAG = 0x1;
const LOOPBACK_FLAG = 0x8;

export interface NetworkInterface {
  readonly name: string;
  /** `Eth0` of `netEth0Up`. */
  readonly part: string;
}

/** Reads /sys again only if the names have changed, or in a container. */
export class InterfaceSelector {
  readonly #hostFiles: HostFiles;
  #lastNames: string | undefined;
  #physical: readonly NetworkInterface[] = [];
  #isContainer = true;

  constructor(hostFiles: HostFiles) {
    this.#hostFiles = hostFiles;
  }

  /**
   * The interfaces of `names` to report, sorted by name. `onFailure`: it cannot be decided whether to report
   * this one.
   */
  select(
    names: readonly string[],
    onFailure: (name: string, error: unknown) => void,
  ): readonly NetworkInterface[] {
    const all = names.join(' ');
    if (all !== this.#lastNames) {
      this.#physical = toInterfaces(
        names.filter((name) => this.#hostFiles.has(`sys/class/net/${name}/device`)),
      );
      this.#lastNames = all;
      if (this.#physical.length > 0) this.#isContainer = false;
    }
    if (!this.#isContainer) return this.#physical;
    return toInterfaces(names.filter((name) => this.#isReportable(name, onFailure)));
  }

  #isReportable(name: string, onFailure: (name: string, error: unknown) => void): boolean {
    try {
      return isReportable(this.#hostFiles, name);
    } catch (error) {
      onFailure(name, error);
      return false;
    }
  }
}

function toInterfaces(names: readonly string[]): readonly NetworkInterface[] {
  const parts = keyParts(names.toSorted().slice(0, INTERFACES_MAX));
  return [...parts].map(([name, part]) => ({ name, part }));
}

function isReportable(hostFiles: HostFiles, name: string): boolean {
  if (name === 'lo' || isContainerInterface(name) || !hostFiles.has(`sys/class/net/${name}/flags`))
    return false;
  const text = hostFiles.read(`sys/class/net/${name}/flags`).trim();
  if (!/^0x[0-9a-f]{1,8}$/.test(text)) throw invalidText(`/sys/class/net/${name}/flags`, text);
  const flags = Number.parseInt(text, 16);
  return (flags & UP_FLAG) !== 0 && (flags & LOOPBACK_FLAG) === 0;
}
