/**
 * One gateway through its first boot, however often that is interrupted, and the check of the result.
 *
 * Promise under test: the gateway always ends up provisioned, as one device with its one name; the token on
 * the disk is that of the device; it has proposed no second token, and no token before it was on the disk; no
 * file is left over.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../src/core/model/error-code.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { Boot, type BootOptions } from './boot.ts';
import { ServerTap } from './server-tap.ts';

/** A loaded machine takes seconds instead of 0.3 s; a stranded gateway never delivers. */
const DELIVERS_WITHIN_MS = 90_000;

/** The state of the disk and of the server at one instant. */
export type Situation =
  | 'nothing on disk, no device'
  | 'intent on disk, no device'
  | 'intent on disk, device exists'
  | 'token on disk, device exists'
  | 'nothing on disk, device exists'
  | 'files damaged';

export const DELIVERED = 'event=FL-TELEMETRY-STARTED';
export const DECLINED = 'event=FL-PROVISIONING-DECLINED';
const STORE_FAILED = 'event=FL-CREDENTIALS-STORAGE-FAILED';
export type Ending = typeof DELIVERED | typeof DECLINED | typeof STORE_FAILED | 'ended' | 'timeout';

interface Stored {
  readonly state?: string;
  readonly token?: string;
  readonly deviceName?: string;
}

/** Tokens that were proposed before they were on the disk, and whether the disk can be read. */
interface TokenWatch {
  readonly early: Set<string>;
  isDiskReadable: boolean;
}

export class Gateway implements AsyncDisposable {
  readonly name: string;
  readonly state: string;
  readonly tap: ServerTap;
  readonly #sandbox: Sandbox;
  readonly #config: string;
  readonly #watch: TokenWatch;

  /** `home`: for the configuration; `state`: the state directory, which need not exist. */
  static async create(sandbox: Sandbox, name: string, home: string, state: string): Promise<Gateway> {
    const watch: TokenWatch = { early: new Set(), isDiskReadable: true };
    const tap = await ServerTap.open(sandbox.coapPort, (token) => {
      if (watch.isDiskReadable && !isOnDisk(state, token)) watch.early.add(token);
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
    watch: TokenWatch,
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

  /** Call before the disk is cut: from then on datagrams cannot be compared with its files. */
  onDiskCut(): void {
    this.#watch.isDiskReadable = false;
  }

  /** Call after the remount: tokens proposed before the cut must be on the disk. */
  onDiskRestored(): void {
    for (const token of this.tap.proposed) if (!isOnDisk(this.state, token)) this.#watch.early.add(token);
    this.#watch.isDiskReadable = true;
  }

  /** Starts the agent once more and waits until it delivers or logs that it cannot. */
  async recover(): Promise<Ending> {
    await using boot = this.start();
    return await boot.waitFor([DELIVERED, DECLINED, STORE_FAILED], DELIVERS_WITHIN_MS);
  }

  situation(): Situation {
    const device = this.#devices().length > 0 ? 'device exists' : 'no device';
    const [main, backup] = [read(this.state, MAIN), read(this.state, BACKUP)];
    const stored = main === 'damaged' || main === undefined ? (backup ?? main) : main;
    if (stored === 'damaged') return 'files damaged';
    if (!stored) return `nothing on disk, ${device}`;
    return stored.state === 'provisioned' ? 'token on disk, device exists' : `intent on disk, ${device}`;
  }

  /** The violations of the promise; empty if it was kept. */
  problems(ending: Ending): string[] {
    const problems: string[] = [];
    if (ending !== DELIVERED) problems.push(`did not deliver: ${ending}`);
    const devices = this.#devices();
    if (devices.length !== 1) problems.push(`${devices.length} devices with its name`);
    const token = devices[0]?.token;
    for (const file of [MAIN, BACKUP]) {
      const stored = read(this.state, file);
      if (stored === undefined || stored === 'damaged') problems.push(`${file} is ${stored ?? 'missing'}`);
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
deadband = "uptimeS=0.1"
[clock]
trust = "system"
`;
}

function read(state: string, file: string): Stored | 'damaged' | undefined {
  let text: string;
  try {
    text = readFileSync(join(state, file), 'utf8');
  } catch {
    return undefined;
  }
  try {
    return JSON.parse(text) as Stored;
  } catch {
    return 'damaged';
  }
}

function namesIn(state: string): string[] {
  try {
    return readdirSync(state);
  } catch {
    return [];
  }
}

/** Also true on a disk whose power is cut, because it cannot be read before the remount. */
function isOnDisk(state: string, token: string): boolean {
  try {
    readdirSync(state);
  } catch (error) {
    return errorCode(error) === 'EIO';
  }
  const main = read(state, MAIN);
  return typeof main === 'object' && main.token === token;
}
