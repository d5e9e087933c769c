/**
 * A gateway whose server can be away, with a token of its own and settings so short that its outbox does in seconds what it usually
 * does in minutes; what it reads is noted (reading-hook.ts).
 */

import { existsSync, readdirSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Reading } from '../../src/core/model/reading.ts';
import { Boot } from './boot.ts';
import type { Experiment } from './experiment.ts';
import type { Omission } from './power-cuts.ts';
import { notedIn, type Settled, settle } from './readings-ledger.ts';
import { ServerTap } from './server-tap.ts';

/** The shortest the settings allow, both ms: spool-after and flush-every. */
export const FLUSH_EVERY_MS = 5_000;
/** What a flush may take, and a sample before it, on a loaded machine, ms. */
const FLUSH_TAKES_MS_MAX = 1_500;
/** A reading this old is on the disk or at the server, ms. */
export const SAFE_AFTER_MS = FLUSH_EVERY_MS + FLUSH_TAKES_MS_MAX;

export const SPOOLING = 'undelivered readings are being stored on disk';
export const DRAINED = 'the backlog has been delivered';
export const REFUSED = 'queued readings cannot be written to disk';
export const TAKES_AGAIN = 'queued readings can be written to disk again';
const READY = 'firstlight is ready';

const HOOKS = ['reading-hook.js', 'sync-hook.js'].map((file) =>
  pathToFileURL(join(import.meta.dirname, file)),
);

export interface StartOptions {
  readonly omit?: readonly Omission[];
  /** Messages of the backlog per second. */
  readonly drainPerS?: number;
}

export class SpoolingGateway implements AsyncDisposable {
  readonly name: string;
  readonly tap: ServerTap;
  readonly #stage: Experiment;
  readonly #state: string;
  /** One for each process of the agent, in their order. */
  readonly #noteFiles: string[] = [];

  static async make(experiment: Experiment, name: string, state: string): Promise<SpoolingGateway> {
    const tap = await ServerTap.open(experiment.sandbox.coapPort, () => {});
    const made = experiment.sandbox.core.admin.createDevice({ name, token: `token-of-${name}` });
    if (!made.ok) throw new Error(made.message);
    await writeFile(join(experiment.path, `${name}.toml`), toml(name, tap.port), { mode: 0o600 });
    return new SpoolingGateway(experiment, name, state, tap);
  }

  private constructor(experiment: Experiment, name: string, state: string, tap: ServerTap) {
    this.#stage = experiment;
    this.name = name;
    this.#state = state;
    this.tap = tap;
  }

  start({ omit = [], drainPerS = 10 }: StartOptions = {}): Boot {
    const notes = this.#nextNoteFile();
    return new Boot({
      config: join(this.#stage.path, `${this.name}.toml`),
      state: this.#state,
      nodeArguments: HOOKS.flatMap((hook) => ['--import', hook.href]),
      environment: {
        READING_HOOK_FILE: notes,
        SYNC_HOOK_OMIT: omit.join(','),
        FIRSTLIGHT_TELEMETRY_DRAIN_RATE: String(drainPerS),
      },
    });
  }

  /** Readings that were put into its spool by other hands count as those of a process before. */
  async note(readings: readonly Reading[]): Promise<void> {
    await writeFile(this.#nextNoteFile(), readings.map((reading) => `${JSON.stringify(reading)}\n`).join(''));
  }

  /** What each process read, so far. */
  get noted(): readonly (readonly Reading[])[] {
    return this.#noteFiles.map((file) => (existsSync(file) ? notedIn(file) : []));
  }

  /** The files of its spool. */
  get files(): readonly string[] {
    return existsSync(this.spool) ? readdirSync(this.spool) : [];
  }

  get spool(): string {
    return join(this.#state, 'spool');
  }

  settled(): Settled {
    return settle(this.#stage.sandbox, this.name, this.noted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.tap[Symbol.asyncDispose]();
  }

  #nextNoteFile(): string {
    const file = join(this.#stage.path, `${this.name}-${this.#noteFiles.length}.notes`);
    this.#noteFiles.push(file);
    return file;
  }
}

/** Waits until it has delivered what it found on the disk, if it found any; what went wrong otherwise. */
export async function drains(boot: Boot, withinMs: number): Promise<readonly string[]> {
  const ready = await boot.sees([READY], withinMs);
  const line = boot.lines.find((each) => each.includes(READY)) ?? '';
  const wanted = line.includes(' queuedReadings=0') ? 'first telemetry accepted' : DRAINED;
  const seen = ready === READY ? await boot.sees([wanted], withinMs) : ready;
  return seen === wanted ? [] : [`did not drain: ${seen}, last line: ${boot.lines.at(-1)}`];
}

function toml(name: string, port: number): string {
  return `[server]
url = "coap://127.0.0.1:${port}"
spread = "0s"
[device]
token = "token-of-${name}"
[telemetry]
interval = "1s"
[outbox]
spool-after = "${FLUSH_EVERY_MS / 1000}s"
flush-every = "${FLUSH_EVERY_MS / 1000}s"
free-space = "0%"
[clock]
trust = "system"
`;
}
