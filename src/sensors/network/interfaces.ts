/**
 * Interfaces: which network interfaces of the host are worth reporting, and what each is called in a key.
 *
 * Physical is what has a device behind it in /sys; bridges, VLANs, tunnels and containers' ends have none, and would count the
 * same bytes twice. Where none has ever been physical (inside a container) those count that are up and are neither loopback nor
 * a container engine's own; a host whose only adapter was pulled out has none meanwhile. At most sixteen: keys cost the server a dictionary entry each, for ever, and a gateway has two or
 * three interfaces.
 */

import { keyParts } from '../devices/keys.ts';
import { invalidText } from '../files/errors.ts';
import type { HostFiles } from '../files/host-files.ts';

export const INTERFACES_MAX = 16;
const UP_FLAG = 0x1;
const LOOPBACK_FLAG = 0x8;
const ENGINE_INTERFACES = /^(veth|docker|br-|virbr|cni|flannel|cali|lxcbr|lxdbr|podman)/;

export interface NetworkInterface {
  readonly name: string;
  /** `Eth0` of `netEth0Up`. */
  readonly part: string;
}

/** Asks /sys again only when the names have changed, or in the fallback. */
export class InterfaceSelector {
  readonly #tree: HostFiles;
  #lastNames: string | undefined;
  #physical: readonly NetworkInterface[] = [];
  #isContainer = true;

  constructor(hostFiles: HostFiles) {
    this.#tree = hostFiles;
  }

  /** Those of `names` to report, by name. */
  select(names: readonly string[]): readonly NetworkInterface[] {
    const all = names.join(' ');
    if (all !== this.#lastNames) {
      this.#physical = toInterfaces(names.filter((name) => this.#tree.has(`sys/class/net/${name}/device`)));
      this.#lastNames = all;
      if (this.#physical.length > 0) this.#isContainer = false;
    }
    if (!this.#isContainer) return this.#physical;
    return toInterfaces(names.filter((name) => isReportable(this.#tree, name)));
  }
}

function toInterfaces(names: readonly string[]): readonly NetworkInterface[] {
  const parts = keyParts(names.toSorted().slice(0, INTERFACES_MAX));
  return [...parts].map(([name, part]) => ({ name, part }));
}

function isReportable(hostFiles: HostFiles, name: string): boolean {
  if (name === 'lo' || ENGINE_INTERFACES.test(name) || !hostFiles.has(`sys/class/net/${name}/flags`))
    return false;
  const text = hostFiles.read(`sys/class/net/${name}/flags`).trim();
  if (!/^0x[0-9a-f]{1,8}$/.test(text)) throw invalidText(`/sys/class/net/${name}/flags`, text);
  const flags = Number.parseInt(text, 16);
  return (flags & UP_FLAG) !== 0 && (flags & LOOPBACK_FLAG) === 0;
}
