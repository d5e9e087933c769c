/**
 * One gateway and its server: a root directory, a network link, and a sandbox at the other end of it, on the
 * default CoAP port. The gateway can boot several times; the server keeps running.
 */

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSandbox, type Sandbox, type SandboxOptions } from '../../src/sandbox/sandbox.ts';
import { isTrueWithin } from '../until.ts';
import { GatewayService } from './gateway-service.ts';
import { Machine, type MachineOptions } from './machine.ts';
import { NetworkLink } from './network-link.ts';
import { EVERY_SECOND } from './reading-grid.ts';

export const PROVISIONING = { key: 'key-of-the-profile', secret: 'f1rst-l1ght-s3cret-0f-the-test' };
const COAP_PORT = 5683;

export interface Booted {
  readonly machine: Machine;
  readonly service: GatewayService;
}

export class Site implements AsyncDisposable {
  readonly link: NetworkLink;
  readonly root: string;
  #sandbox: Sandbox | undefined;
  #machine: Machine | undefined;

  static async open(root: string): Promise<Site> {
    return new Site(await NetworkLink.build(), root);
  }

  private constructor(link: NetworkLink, root: string) {
    this.link = link;
    this.root = root;
  }

  get sandbox(): Sandbox {
    if (!this.#sandbox) throw new Error('the server is not open yet');
    return this.#sandbox;
  }

  async openServer(more: Partial<SandboxOptions> = {}): Promise<Sandbox> {
    this.#sandbox = await openSandbox({
      ...more,
      host: this.link.serverAddress,
      coapPort: COAP_PORT,
      provisioning: PROVISIONING,
    });
    return this.#sandbox;
  }

  /**
   * Writes what an operator writes: the configuration, readable for all, and the secret in the store of
   * systemd, for root. `host`: or the URL of the server.
   */
  async configure(more = '', host = this.link.serverAddress): Promise<void> {
    const [dropIns, store] = [
      join(this.root, 'etc', 'firstlight', 'conf.d'),
      join(this.root, 'etc', 'credstore'),
    ];
    await mkdir(dropIns, { recursive: true });
    await mkdir(store, { recursive: true, mode: 0o700 });
    await writeFile(join(dropIns, 'site.toml'), toml(host, more), { mode: 0o644 });
    await writeFile(join(store, 'firstlight.secret'), PROVISIONING.secret, { mode: 0o600 });
  }

  /** Writes a drop-in of firstlight.service. */
  async dropIn(name: string, lines: readonly string[]): Promise<void> {
    const directory = join(this.root, 'etc', 'systemd', 'system', 'firstlight.service.d');
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, `${name}.conf`), `${lines.join('\n')}\n`);
  }

  /** The previous boot must have ended. */
  async boot(options: Omit<MachineOptions, 'link'> = {}): Promise<Booted> {
    const machine = await Machine.boot(this.root, { ...options, link: this.link });
    this.#machine = machine;
    return { machine, service: new GatewayService(machine) };
  }

  /** Cuts the power if the machine runs. */
  async cutPower(): Promise<void> {
    await this.#machine?.cutPower();
  }

  /** Whether the server stores a new reading in time. */
  async isReceiving(withinMs: number): Promise<boolean> {
    const before = this.#storedPoints();
    return await isTrueWithin(() => this.#storedPoints() > before, withinMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cutPower();
    await this.#sandbox?.[Symbol.asyncDispose]();
    await this.link[Symbol.asyncDispose]();
  }

  #storedPoints(): number {
    return this.sandbox.devices().reduce((sum, { points }) => sum + points, 0);
  }
}

/** The configuration file of a site. `host`: or the URL of the server. */
export function toml(host: string, more = '', secret?: string): string {
  return `[server]
url = "${host.includes('://') ? host : `coap://${host}`}"
spread = "0s"
[provisioning]
key = "${PROVISIONING.key}"
${secret === undefined ? '' : `secret = "${secret}"\n`}${EVERY_SECOND}${more}`;
}
