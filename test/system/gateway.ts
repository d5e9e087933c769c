/**
 * One gateway through its first boot, however often that is interrupted, and the judgement on how it ended.
 *
 * The promise under test: it always ends provisioned, as one device, under its one name, with the token on the disk equal to the
 * device's, having proposed no second token, with every token on the disk before it was proposed, and no file left over.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../src/core/model/error-code.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { Boot, type BootOptions } from './boot.ts';
import { ServerTap } from './server-tap.ts';

/** A loaded machine takes seconds for what takes 0.3 s; a stranded gateway takes for ever. */
const DELIVERS_WITHIN_MS = 90_000;

/** What the disk and the server know at some instant. */
export type Standing =
  | 'nothing on disk, no device'
  | 'intent on disk, no device'
  | 'intent on disk, device made'
  | 'token on disk, device made'
  | 'nothing on disk, device made'
  | 'files damaged';

export const DELIVERED = 'first telemetry accepted';
const DECLINED = 'reason=declined';
const STORE_FAILED = 'reason=store-failed';
export type Ending = typeof DELIVERED | typeof DECLINED | typeof STORE_FAILED | 'ended' | 'late';

interface Stored {
  readonly state?: string;
  readonly token?: string;
  readonly deviceName?: string;
}

/** Tokens that were proposed before they were on the disk, and whether the disk can be looked at. */
interface Watch {
  readonly early: Set<string>;
  blind: boolean;
}

export class Gateway implements AsyncDisposable {
  readonly name: string;
  readonly state: string;
  readonly tap: ServerTap;
  readonly #sandbox: Sandbox;
  readonly #config: string;
  readonly #watch: Watch;

  /** `home` is for its configuration, `state` its state directory, which need not exist. */
  static async make(sandbox: Sandbox, name: string, home: string, state: string): Promise<Gateway> {
    const watch: Watch = { early: new Set(), blind: false };
    const tap = await ServerTap.open(sandbox.coapPort, (token) => {
      if (!watch.blind && !isOnDisk(state, token)) watch.early.add(token);
    });
    const config = join(home, `${name}.toml`);
    await writeFile(config, toml(name, tap.port), { mode: 0o600 });
    return new Gateway(sandbox, name, state, tap, config, watch);
  }

  private constructor(
    sandbox: Sandbox,
    name: string,
    state: string,
    tap: ServerTap,
    config: string,
    watch: Watch,
  ) {
    this.#sandbox = sandbox;
    this.name = name;
    this.state = state;
    this.tap = tap;
    this.#config = config;
    this.#watch = watch;
  }

  start(options: Partial<BootOptions> = {}): Boot {
    return new Boot({ config: this.#config, state: this.state, ...options });
  }

  /** The disk is about to go: a datagram seen from now on cannot be held against files that cannot be read. */
  diskGoes(): void {
    this.#watch.blind = true;
  }

  /** The disk is back: what was proposed before it went must be on what is left of it. */
  diskCame(): void {
    for (const token of this.tap.proposed) if (!isOnDisk(this.state, token)) this.#watch.early.add(token);
    this.#watch.blind = false;
  }

  /** Starts it once more and sees how that ends: delivered, or told that it cannot. */
  async recover(): Promise<Ending> {
    await using boot = this.start();
    return await boot.sees([DELIVERED, DECLINED, STORE_FAILED], DELIVERS_WITHIN_MS);
  }

  standing(): Standing {
    const device = this.#devices().length > 0 ? 'device made' : 'no device';
    const [main, backup] = [read(this.state, MAIN), read(this.state, BACKUP)];
    const stored = main === 'bad' || main === undefined ? (backup ?? main) : main;
    if (stored === 'bad') return 'files damaged';
    if (!stored) return `nothing on disk, ${device}`;
    return stored.state === 'provisioned' ? 'token on disk, device made' : `intent on disk, ${device}`;
  }

  /** What is wrong with how it ended; nothing when all is well. */
  problems(ending: Ending): string[] {
    const problems: string[] = [];
    if (ending !== DELIVERED) problems.push(`did not deliver: ${ending}`);
    const devices = this.#devices();
    if (devices.length !== 1) problems.push(`${devices.length} devices of its name`);
    const token = devices[0]?.token;
    for (const file of [MAIN, BACKUP]) {
      const stored = read(this.state, file);
      if (stored === undefined || stored === 'bad') problems.push(`${file} is ${stored ?? 'missing'}`);
      else if (stored.state !== 'provisioned') problems.push(`${file} is ${stored.state}`);
      else if (stored.token !== token) problems.push(`${file} has a token that is not the device's`);
      else if (stored.deviceName !== this.name) problems.push(`${file} has the name ${stored.deviceName}`);
    }
    if (this.tap.proposed.size !== 1) problems.push(`${this.tap.proposed.size} tokens were proposed`);
    if (this.#watch.early.size > 0) problems.push('a token was proposed before it was on the disk');
    const left = namesIn(this.state).filter((file) => file !== MAIN && file !== BACKUP);
    if (left.length > 0) problems.push(`left behind: ${left.join(', ')}`);
    return problems;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tap[Symbol.asyncDispose]();
  }

  #devices(): ReturnType<Sandbox['devices']> {
    return this.#sandbox.devices().filter(({ name }) => name === this.name);
  }
}

export const PROVISIONING = { key: 'key-of-the-profile', secret: 'secret-of-the-profile' };
const MAIN = 'credentials.json';
const BACKUP = 'credentials.backup.json';

function toml(name: string, port: number): string {
  return `[server]
url = "coap://127.0.0.1:${port}"
spread = "0s"
[provisioning]
key = "${PROVISIONING.key}"
secret = "${PROVISIONING.secret}"
credentials = "device-generated"
[device]
name = "${name}"
[telemetry]
interval = "1s"
[clock]
trust = "system"
`;
}

function read(state: string, file: string): Stored | 'bad' | undefined {
  let text: string;
  try {
    text = readFileSync(join(state, file), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Stored;
  } catch {
    return 'bad';
  }
}

function namesIn(state: string): string[] {
  try {
    return readdirSync(state);
  } catch {
    return [];
  }
}

/** A disk whose power was cut cannot be asked; what was on it is seen after the remount. */
function isOnDisk(state: string, token: string): boolean {
  try {
    readdirSync(state);
  } catch (error) {
    return errorCode(error) === 'EIO';
  }
  const main = read(state, MAIN);
  return typeof main === 'object' && main.token === token;
}
