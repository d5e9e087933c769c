/**
 * A gateway whose server can be absent, with a token and the shortest settings of the outbox, so that
 * spooling takes seconds instead of minutes. Its readings are recorded (reading-hook.ts).
 */

import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Reading } from '../../src/core/model/reading.ts';
import { Boot } from './boot.ts';
import type { Experiment } from './experiment.ts';
import { DELIVERED } from './gateway.ts';
import type { Omission } from './power-cuts.ts';
import { type Comparison, compare, readingsIn } from './readings-ledger.ts';
import { ServerTap } from './server-tap.ts';

/** spool-after and flush-every, ms: the shortest that the configuration allows. */
export const FLUSH_EVERY_MS = 5_000;
/** The maximum duration of a sample and a flush on a loaded machine, ms. */
const FLUSH_MS_MAX = 1_500;
/** A reading of this age is on the disk or on the server, ms. */
export const SAFE_AFTER_MS = FLUSH_EVERY_MS + FLUSH_MS_MAX;

export const SPOOLING_STARTED = 'event=FL-SPOOLING-STARTED';
export const BACKLOG_DELIVERED = 'event=FL-BACKLOG-DELIVERED';
export const DISK_WRITE_FAILED = 'event=FL-DISK-WRITE-FAILED';
export const DISK_WRITE_RESTORED = 'event=FL-DISK-WRITE-RESTORED';
const AGENT_STARTED = 'event=FL-AGENT-STARTED';

const HOOKS = ['reading-hook.js', 'sync-hook.js'].map((file) =>
  pathToFileURL(join(import.meta.dirname, 'hooks', file)),
);

export interface StartOptions {
  readonly omit?: readonly Omission[];
  /** Messages of the backlog per second. */
  readonly drainPerS?: number;
}

export class SpoolingGateway implements AsyncDisposable {
  readonly name: string;
  readonly tap: ServerTap;
  readonly #experiment: Experiment;
  readonly #state: string;
  /** One for each process of the agent, in order. */
  readonly #readingFiles: string[] = [];

  static async create(experiment: Experiment, name: string, state: string): Promise<SpoolingGateway> {
    const tap = await ServerTap.open(experiment.sandbox.coapPort, () => {});
    const created = experiment.sandbox.core.admin.createDevice({ name, token: `token-of-${name}` });
    if (!created.ok) throw new Error(created.message);
    await writeFile(join(experiment.path, `${name}.toml`), toml(name, tap.port), { mode: 0o600 });
    return new SpoolingGateway(experiment, name, state, tap);
  }

  private constructor(experiment: Experiment, name: string, state: string, tap: ServerTap) {
    this.#experiment = experiment;
    this.name = name;
    this.#state = state;
    this.tap = tap;
  }

  start({ omit = [], drainPerS = 10 }: StartOptions = {}): Boot {
    const readingFile = this.#nextReadingFile();
    return new Boot({
      config: join(this.#experiment.path, `${this.name}.toml`),
      state: this.#state,
      nodeArguments: HOOKS.flatMap((hook) => ['--import', hook.href]),
      environment: {
        READING_HOOK_FILE: readingFile,
        SYNC_HOOK_OMIT: omit.join(','),
        FIRSTLIGHT_TELEMETRY_DRAIN_RATE: String(drainPerS),
      },
    });
  }

  /** Registers readings that a test has written to the spool, as those of an earlier process. */
  async addReadings(readings: readonly Reading[]): Promise<void> {
    await writeFile(
      this.#nextReadingFile(),
      readings.map((reading) => `${JSON.stringify(reading)}\n`).join(''),
    );
  }

  /** The readings of each process so far. */
  get readings(): readonly (readonly Reading[])[] {
    return this.#readingFiles.map((file) => (existsSync(file) ? readingsIn(file) : []));
  }

  /** The files in the spool. */
  get files(): readonly string[] {
    return existsSync(this.spool) ? readdirSync(this.spool) : [];
  }

  get spool(): string {
    return join(this.#state, 'spool');
  }

  compare(): Comparison {
    return compare(this.#experiment.sandbox, this.name, this.readings);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tap[Symbol.asyncDispose]();
  }

  #nextReadingFile(): string {
    const file = join(this.#experiment.path, `${this.name}-${this.#readingFiles.length}.readings`);
    this.#readingFiles.push(file);
    return file;
  }
}

/**
 * Waits until the agent has delivered the backlog that it found on the disk, if any. Returns what went wrong.
 */
export async function drainProblems(boot: Boot, withinMs: number): Promise<readonly string[]> {
  const started = await boot.waitFor([AGENT_STARTED], withinMs);
  const line = boot.lines.find((each) => each.includes(AGENT_STARTED)) ?? '';
  const expected = line.includes(' queuedReadings=0') ? DELIVERED : BACKLOG_DELIVERED;
  const result = started === AGENT_STARTED ? await boot.waitFor([expected], withinMs) : started;
  return result === expected
    ? []
    : [`the backlog was not delivered: ${result}, last line: ${boot.lines.at(-1)}`];
}

function toml(name: string, port: number): string {
  return `[server]
url = "coap://127.0.0.1:${port}"
spread = "0s"
[device]
token = "token-of-${name}"
[telemetry]
interval = "1s"
deadband = "uptimeS=0.1"
[outbox]
spool-after = "${FLUSH_EVERY_MS / 1000}s"
flush-every = "${FLUSH_EVERY_MS / 1000}s"
free-space = "0%"
[clock]
trust = "system"
`;
}
