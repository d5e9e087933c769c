/**
 * Interfaces: which network interfaces of the host are worth reporting, and what each is called in a key.
 *
 * Physical is what has a device behind it in /sys; bridges, VLANs, tunnels and containers' ends have none, and would count the
 * same bytes twice. Where none has ever been physical (inside a container) those count that are up and are neither loopback nor
 * a container engine's own; a host whose only adapter was pulled out has none meanwhile. At most sixteen: keys cost the server a dictionary entry each, for ever, and a gateway has two or
 * three interfaces.
 */

import { keyParts } from '../devices/keys.ts';
import { NonsenseError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';

export const INTERFACES_MAX = 16;
const UP_FLAG = 0x1;
const LOOPBACK_FLAG = 0x8;
const ENGINES_OWN = /^(veth|docker|br-|virbr|cni|flannel|cali|lxcbr|lxdbr|podman)/;

export interface Interface {
  readonly name: string;
  /** `Eth0` of `netEth0Up`. */
  readonly part: string;
}

/** Asks /sys again only when the names have changed, or in the fallback. */
export class Interfaces {
  readonly #tree: Tree;
  #seen: string | undefined;
  #physical: readonly Interface[] = [];
  #isContainer = true;

  constructor(tree: Tree) {
    this.#tree = tree;
  }

  /** Those of `names` to report, by name. */
  among(names: readonly string[]): readonly Interface[] {
    const all = names.join(' ');
    if (all !== this.#seen) {
      this.#physical = bounded(names.filter((name) => this.#tree.has(`sys/class/net/${name}/device`)));
      this.#seen = all;
      if (this.#physical.length > 0) this.#isContainer = false;
    }
    if (!this.#isContainer) return this.#physical;
    return bounded(names.filter((name) => isUpAndOurs(this.#tree, name)));
  }
}

function bounded(names: readonly string[]): readonly Interface[] {
  const parts = keyParts(names.toSorted().slice(0, INTERFACES_MAX));
  return [...parts].map(([name, part]) => ({ name, part }));
}

function isUpAndOurs(tree: Tree, name: string): boolean {
  if (name === 'lo' || ENGINES_OWN.test(name) || !tree.has(`sys/class/net/${name}/flags`)) return false;
  const text = tree.read(`sys/class/net/${name}/flags`).trim();
  if (!/^0x[0-9a-f]{1,8}$/.test(text))
    throw new NonsenseError(`the flags of interface ${name} are no number`);
  const flags = Number.parseInt(text, 16);
  return (flags & UP_FLAG) !== 0 && (flags & LOOPBACK_FLAG) === 0;
}
