/** A gateway and its server for the agent's part of an update: real files, virtual time. The agent can be restarted. */

import { createHash } from 'node:crypto';
import type { Result } from '../../../src/core/failures/failure.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { CHUNK_BYTES, type SoftwareChunk } from '../../../src/core/ports/software-source.ts';
import type { UpdateResult } from '../../../src/core/update/installation.ts';
import { type FollowerSettings, UpdateFollower } from '../../../src/update/download/update-follower.ts';
import { UpdateFiles } from '../../../src/update/download/update-record.ts';
import type { UpdateReport } from '../../../src/update/download/update-reports.ts';
import type { UpdateServer } from '../../../src/update/download/update-server.ts';
import { FixedRandom } from '../../doubles/fixed-random.ts';
import { RecordingLogger } from '../../doubles/recording-logger.ts';
import { VirtualClock } from '../../doubles/virtual-clock.ts';
import type { TestKey } from '../signed-updates.ts';

const TURNS_MAX = 50_000;

export class UpdateDevice implements UpdateServer, AsyncDisposable {
  clock = new VirtualClock();
  readonly log = new RecordingLogger();
  readonly files: UpdateFiles;
  readonly reports: UpdateReport[] = [];
  /** The offsets of all chunks that the server sent. */
  readonly sent: number[] = [];
  content: Buffer = Buffer.alloc(0);
  assigned = { title: 'firstlight', version: '0.2.0' };
  isOnline = true;
  isBusy = false;
  /** Fails each n-th chunk. */
  failEvery = 0;
  isRefusing = false;
  isAccepting = true;
  /** The ids of all requests. */
  readonly requested: string[] = [];
  result: UpdateResult | undefined;
  settings: FollowerSettings = { spreadMs: 3_600_000, installed: '0.1.0' };
  readonly #key: TestKey;
  #follower: UpdateFollower | undefined;
  #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #calls = 0;

  constructor(directory: string, key: TestKey) {
    this.files = new UpdateFiles(directory);
    this.#key = key;
  }

  /** What the server sends to a device that registers. */
  get attributes(): Readonly<Record<string, unknown>> {
    const { title, version } = this.assigned;
    return {
      sw_title: title,
      sw_version: version,
      sw_size: this.content.length,
      sw_checksum: createHash('sha256').update(this.content).digest('hex'),
      sw_checksum_algorithm: 'SHA256',
    };
  }

  start(values: Readonly<Record<string, unknown>> | undefined = this.attributes): void {
    this.#stop = new AbortController();
    const { clock, log, files } = this;
    const follower = new UpdateFollower(
      {
        ...{ clock, log, files, random: new FixedRandom(0.5) },
        keys: () => this.#key.trusted,
        retryMs: (failures) => 5_000 * failures,
        isBusy: () => this.isBusy,
        request: (id) => void this.requested.push(id),
        result: () => this.result,
      },
      this.settings,
    );
    this.#follower = follower;
    this.#running = follower.run(this, this.#stop.signal);
    if (values) follower.onAttributes({ is: 'all', values });
  }

  assign(values: Readonly<Record<string, unknown>>): void {
    this.#follower?.onAttributes({ is: 'deleted', keys: ['sw_tag', 'sw_url'] });
    this.#follower?.onAttributes({ is: 'changed', values });
  }

  unassign(): void {
    this.#follower?.onAttributes({ is: 'deleted', keys: Object.keys(this.attributes) });
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.start();
  }

  /** Lets time pass until the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < TURNS_MAX; turn += 1) {
      if (condition()) return;
      await this.clock.advanceToNext();
    }
    throw new Error(`never: ${condition}; reports ${JSON.stringify(this.reports)}`);
  }

  get requests(): number {
    return this.requested.length;
  }

  get states(): readonly string[] {
    const states = this.reports.flatMap(({ sw_state: state }) => state ?? []);
    return states.filter((state, index) => state !== states[index - 1]);
  }

  async connected(signal: AbortSignal): Promise<Secret | undefined> {
    while (!this.isOnline && !signal.aborted) await this.clock.sleep(1_000, signal);
    return signal.aborted ? undefined : new Secret('token');
  }

  async postTelemetry(_token: Secret, body: string): Promise<Result<void>> {
    if (!this.isAccepting) return { ok: false, failure: { reason: 'server-timeout', detail: 'no answer' } };
    this.reports.push(JSON.parse(body));
    return { ok: true, value: undefined };
  }

  async downloadChunk(_token: Secret, { version, offset }: SoftwareChunk): Promise<Result<Uint8Array>> {
    this.#calls += 1;
    if (this.failEvery > 0 && this.#calls % this.failEvery === 0)
      return { ok: false, failure: { reason: 'server-timeout', detail: 'no answer' } };
    if (this.isRefusing || version !== this.assigned.version)
      return { ok: false, failure: { reason: 'request-malformed', detail: 'response 4.00' } };
    this.sent.push(offset);
    return { ok: true, value: this.content.subarray(offset, offset + CHUNK_BYTES) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}
