/**
 * The link between one container and the server: a network namespace for the gateway and a pair of virtual
 * interfaces; the end of the server is on this machine. The link can be cut like a cable and made to lose
 * datagrams, and the gateway can get another address.
 *
 * Addresses are of 198.18.0.0/15, which RFC 2544 reserves for tests; one /24 for each link.
 */

import { spawnSync } from 'node:child_process';
import { freshName, undoAtExit } from './cleanup.ts';
import { attempt, run } from './command.ts';

export class NetworkLink implements AsyncDisposable {
  /** The name of the gateway's network namespace. */
  readonly namespace: string;
  readonly serverAddress: string;
  readonly #network: string;
  readonly #link: string;
  /** The last octet of the gateway's address. */
  #host = 2;
  #forget = () => {};

  static async build(): Promise<NetworkLink> {
    const link = new NetworkLink(await freeNetwork());
    await link.#build();
    return link;
  }

  private constructor(network: string) {
    this.namespace = freshName();
    this.#link = `${this.namespace}h`;
    this.#network = network;
    this.serverAddress = `${network}.1`;
  }

  async up(): Promise<void> {
    await run(['ip', 'link', 'set', this.#link, 'up']);
  }

  /** Like an unplugged cable: the gateway sees no carrier. */
  async down(): Promise<void> {
    await run(['ip', 'link', 'set', this.#link, 'down']);
  }

  /** The gateway loses its address and its routes, as when a DHCP lease ends. */
  async removeAddress(): Promise<void> {
    await run(['ip', '-n', this.namespace, 'address', 'flush', 'dev', 'host0', 'scope', 'global']);
  }

  /** The gateway gets an address that it has never had, and a default route. */
  async addAddress(): Promise<void> {
    const address = `${this.#network}.${this.#host}`;
    this.#host += 1;
    await run(['ip', '-n', this.namespace, 'address', 'add', `${address}/24`, 'dev', 'host0']);
    await run(['ip', '-n', this.namespace, 'route', 'add', 'default', 'via', this.serverAddress]);
  }

  /**
   * Drops `percent` of the datagrams to the gateway; 0 ends it. Only those: a dropped outgoing datagram would
   * make the gateway's send() fail (EPERM). The sandbox drops those of the other direction (`lossIn`).
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

  /** How many datagrams to the gateway were lost so far. */
  async lostDatagrams(): Promise<number> {
    const text = await run(this.#inside('nft', 'list', 'table', 'inet', 'firstlight_test'));
    return [...text.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await attempt(['ip', 'netns', 'del', this.namespace]);
    // Usually the link goes with the namespace; if the namespace lives on for a moment, so does the link.
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
    await run(['ip', 'address', 'add', `${this.serverAddress}/24`, 'dev', this.#link]);
    await this.up();
    for (const link of ['lo', 'host0']) await run(['ip', '-n', namespace, 'link', 'set', link, 'up']);
    await this.addAddress();
  }

  #inside(...command: string[]): string[] {
    return ['ip', 'netns', 'exec', this.namespace, ...command];
  }
}

/** Networks of this run; those of other runs show as addresses of this machine. */
const usedNetworks = new Set<string>();

async function freeNetwork(): Promise<string> {
  const addresses = await run(['ip', '-4', '-o', 'address']);
  for (let third = 0; third < 256; third += 1) {
    const network = `198.18.${third}`;
    if (usedNetworks.has(network) || addresses.includes(` ${network}.`)) continue;
    usedNetworks.add(network);
    return network;
  }
  throw new Error('every network in 198.18.0.0/16 is in use');
}
