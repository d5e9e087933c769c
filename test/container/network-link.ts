/**
 * The road between one container and the server: a network namespace for the gateway and a pair of virtual interfaces, the server's
 * end on this machine itself. It can be cut like a cable and made to lose datagrams.
 *
 * Addresses are of 198.18.0.0/15, which RFC 2544 sets aside for tests; one /30 per road.
 */

import { spawnSync } from 'node:child_process';
import { freshName, undoAtExit } from './cleanup.ts';
import { attempt, run } from './command.ts';

export class NetworkLink implements AsyncDisposable {
  /** The name of the gateway's network namespace. */
  readonly namespace: string;
  readonly serverAddress: string;
  readonly #gatewayAddress: string;
  readonly #link: string;
  #forget = () => {};

  static async build(): Promise<NetworkLink> {
    const road = new NetworkLink(await freeNetwork());
    await road.#build();
    return road;
  }

  private constructor(network: string) {
    this.namespace = freshName();
    this.#link = `${this.namespace}h`;
    this.serverAddress = `${network}.1`;
    this.#gatewayAddress = `${network}.2`;
  }

  async up(): Promise<void> {
    await run(['ip', 'link', 'set', this.#link, 'up']);
  }

  /** Like a cable pulled out: the gateway sees no carrier. */
  async down(): Promise<void> {
    await run(['ip', 'link', 'set', this.#link, 'down']);
  }

  /**
   * Loses so many of a hundred datagrams on their way to the gateway; 0 heals it. Only those: one dropped on its way out would tell its
   * sender so (EPERM). The server's end loses them for the other way.
   */
  async lose(percent: number): Promise<void> {
    await attempt(this.#inside('nft', 'delete', 'table', 'inet', 'firstlight_test'));
    if (percent === 0) return;
    const drop = `numgen random mod 100 < ${percent} counter drop`;
    const rules = [
      'table inet firstlight_test {',
      `chain in { type filter hook input priority 0; udp sport 5683 ${drop}; }`,
      '}',
    ];
    await run(this.#inside('nft', rules.join('\n')));
  }

  /** How many datagrams were lost so far. */
  async lost(): Promise<number> {
    const text = await run(this.#inside('nft', 'list', 'table', 'inet', 'firstlight_test'));
    return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt(['ip', 'netns', 'del', this.namespace]);
    // Usually gone with its other end; where the namespace lives on for a moment, so would the link.
    await attempt(['ip', 'link', 'del', this.#link]);
    this.#forget();
  }

  async #build(): Promise<void> {
    const { namespace } = this;
    this.#forget = undoAtExit(() => {
      spawnSync('ip', ['netns', 'del', namespace], { stdio: 'ignore' });
      spawnSync('ip', ['link', 'del', this.#link], { stdio: 'ignore' });
    });
    await run(['ip', 'netns', 'add', namespace]);
    await run(['ip', 'link', 'add', this.#link, 'type', 'veth', 'peer', 'name', 'host0', 'netns', namespace]);
    await run(['ip', 'address', 'add', `${this.serverAddress}/30`, 'dev', this.#link]);
    await this.up();
    await run(['ip', '-n', namespace, 'address', 'add', `${this.#gatewayAddress}/30`, 'dev', 'host0']);
    for (const link of ['lo', 'host0']) await run(['ip', '-n', namespace, 'link', 'set', link, 'up']);
    await run(['ip', '-n', namespace, 'route', 'add', 'default', 'via', this.serverAddress]);
  }

  #inside(...command: string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace, ...command];
  }
}

/** Handed out by this run already, or by another run on this machine: seen as an address. */
const usedNamespaces = new Set<string>();

async function freeNetwork(): Promise<string> {
  const addresses = await run(['ip', '-4', '-o', 'address']);
  for (let third = 0; third < 256; third += 1) {
    const network = `198.18.${third}`;
    if (usedNamespaces.has(network) || addresses.includes(` ${network}.`)) continue;
    usedNamespaces.add(network);
    return network;
  }
  throw new Error('every network below 198.18.0.0/16 is taken');
}
