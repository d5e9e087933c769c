/**
 * The agent's part of an update: follows the software that the server assigns, downloads and verifies it, asks root's part to
 * install it, and reports how that ended.
 *
 *     assigned ─▶ wait (spread, window) ─▶ download ─▶ verify ─▶ wait (window) ─▶ request ─▶ result of root's part ─▶ finished
 *
 * What a restart must not repeat is in the record. A finished assignment is not tried again until another one arrives.
 */

import type { KeyObject } from 'node:crypto';
import { ChildAbortController } from '../../core/async/abort.ts';
import { AsyncSignal } from '../../core/async/async-signal.ts';
import { logEvent } from '../../core/events/catalogue.ts';
import { errorMessage } from '../../core/model/error-code.ts';
import type { UpdateSchedule } from '../../core/model/update-schedule.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { AttributeUpdate } from '../../core/ports/downlink.ts';
import type { Logger } from '../../core/ports/log.ts';
import type { Random } from '../../core/ports/random.ts';
import {
  AssignedSoftware,
  type Assignment,
  assignmentProblem,
  isSameAssignment,
} from '../../core/update/assignment.ts';
import type { UpdateResult } from '../../core/update/installation.ts';
import { UPDATE_TITLE } from '../../core/update/manifest.ts';
import { isInWindow, localMinute, startDelayMs } from '../../core/update/schedule.ts';
import { requestId } from '../request-file.ts';
import { UPDATE_BYTES_MAX } from '../update-file.ts';
import { checkDownload } from './check-download.ts';
import { download } from './download.ts';
import type { UpdateFiles, UpdateRecord } from './update-record.ts';
import { type UpdateReport, UpdateReports } from './update-reports.ts';
import type { UpdateServer } from './update-server.ts';

export interface FollowerPorts {
  readonly clock: Clock;
  readonly random: Pick<Random, 'uniform'>;
  /** How long to wait after this number of failed requests in a row, ms. */
  readonly retryMs: (failures: number) => number;
  readonly log: Logger;
  readonly files: UpdateFiles;
  readonly keys: () => ReadonlyMap<string, KeyObject>;
  /** Whether fresh readings wait for delivery. */
  readonly isBusy: () => boolean;
  /** Asks root's part to install the released file; its result has this id. */
  readonly request: (id: string) => void;
  /** The last result of root's part. */
  readonly result: () => UpdateResult | undefined;
}

export interface FollowerSettings extends UpdateSchedule {
  /** The installed version of the package. */
  readonly installed: string;
}

const DOWNLOADS_MAX = 3;
const PROGRESS_STEP_PERCENT = 10;
const SPACE_FACTOR = 2;
const SPACE_MARGIN_BYTES = 8_000_000;
const RESULT_POLL_MS = 5_000;
/** Longer than root's part needs: 10 min for another package manager, 15 for dpkg, up to 31 for its health gate. */
const RESULT_WITHIN_MS = 60 * 60_000;
const REPORTED_WITHIN_MS = 30_000;
/** A wait is divided, because the clock may be set meanwhile. */
const WAIT_STEP_MS = 5 * 60_000;
const DISK_RETRY_MS = 5 * 60_000;

export class UpdateFollower {
  readonly #ports: FollowerPorts;
  readonly #settings: FollowerSettings;
  readonly #assigned = new AssignedSoftware();
  readonly #changes = new AsyncSignal();
  readonly #reports: UpdateReports;

  constructor(ports: FollowerPorts, settings: FollowerSettings) {
    this.#ports = ports;
    this.#settings = settings;
    this.#reports = new UpdateReports(ports);
  }

  onAttributes(update: AttributeUpdate): void {
    if (this.#assigned.onAttributes(update)) this.#changes.notify();
  }

  /** Resolves when the signal aborts. An error of the disk ends no other task of the agent. */
  async run(server: UpdateServer, signal: AbortSignal): Promise<void> {
    const follow = async (stop: AbortSignal): Promise<void> => {
      this.#reports.send(this.#installed());
      while (!stop.aborted) {
        try {
          await this.#follow(server, stop);
        } catch (error) {
          logEvent(this.#ports.log, 'FL-UPDATE-INTERRUPTED', { problem: errorMessage(error) });
          await this.#ports.clock.sleep(DISK_RETRY_MS, stop);
        }
      }
    };
    await Promise.all([this.#reports.run(server, signal), follow(signal)]);
  }

  async #follow(server: UpdateServer, signal: AbortSignal): Promise<void> {
    const record = this.#ports.files.load();
    if (record?.phase === 'requested') await this.#awaitResult(record, signal);
    if (record?.phase === 'finished' && !record.isReported) this.#report(record);
    while (!signal.aborted) {
      const seen = this.#changes.version;
      const assignment = this.#assigned.current;
      if (assignment) await this.#handle(assignment, server, signal);
      await this.#changes.wait(signal, seen);
    }
  }

  /** Ends when it is finished, or when the server assigns something else. */
  async #handle(assignment: Assignment, server: UpdateServer, signal: AbortSignal): Promise<void> {
    using stop = new ChildAbortController(signal);
    const watch = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        const seen = this.#changes.version;
        const { current } = this.#assigned;
        if (!current || !isSameAssignment(current, assignment)) stop.abort();
        await this.#changes.wait(stop.signal, seen);
      }
    };
    const watching = watch();
    try {
      await this.#install(assignment, server, stop.signal);
    } finally {
      stop.abort();
      await watching;
    }
  }

  async #install(assignment: Assignment, server: UpdateServer, signal: AbortSignal): Promise<void> {
    const { files, clock } = this.#ports;
    let record = files.load();
    if (!record || !isSameAssignment(record.assignment, assignment)) {
      files.discard();
      record = { assignment, phase: 'downloading', downloads: 0 };
    }
    if (record.phase === 'finished') return;
    if (assignment.title === UPDATE_TITLE && assignment.version === this.#settings.installed)
      return this.#finish({ ...record, outcome: 'updated' });
    const problem = assignmentProblem(assignment, UPDATE_BYTES_MAX) ?? this.#spaceProblem(assignment);
    if (problem !== undefined) return this.#finish({ ...record, outcome: 'failed', problem });
    const verified = await this.#obtain(record, server, signal);
    if (!verified) return;
    await this.#waitForWindow(signal);
    if (signal.aborted) return;
    files.release();
    const requested: UpdateRecord = {
      ...{ assignment, downloads: verified.downloads },
      // Another one for the same file assigned again, so that the result of the first does not count.
      request: requestId(clock.bootId, clock.bootMs()),
      phase: 'requested',
    };
    files.save(requested);
    this.#reports.send({ sw_state: 'UPDATING' });
    // The agent is restarted soon.
    await this.#reports.settle(REPORTED_WITHIN_MS, signal);
    await this.#awaitResult(requested, signal);
  }

  /** Downloads and verifies; undefined if it stopped or failed. */
  async #obtain(
    record: UpdateRecord,
    server: UpdateServer,
    signal: AbortSignal,
  ): Promise<{ readonly downloads: number } | undefined> {
    const { files, log, keys } = this.#ports;
    const { assignment } = record;
    let { downloads } = record;
    if (files.partialBytes === 0) await this.#waitForStart(assignment, signal);
    for (;;) {
      if (signal.aborted) return undefined;
      if (files.partialBytes === 0) files.save({ ...record, downloads: ++downloads });
      const result = await this.#download(assignment, server, signal);
      if (result.is === 'stopped') return undefined;
      if (result.is === 'refused') {
        this.#finish({ ...record, downloads, outcome: 'failed', problem: result.problem });
        return undefined;
      }
      this.#reports.send({ sw_state: 'DOWNLOADED', sw_progress: 100 });
      using source = files.open();
      const check = await checkDownload(source, assignment, keys(), this.#settings.installed);
      if (check.ok) {
        this.#reports.send({ sw_state: 'VERIFIED' });
        logEvent(log, 'FL-UPDATE-DOWNLOADED', { version: assignment.version, bytes: assignment.bytes });
        return { downloads };
      }
      files.discardPartial();
      if (!check.isDamaged || downloads >= DOWNLOADS_MAX) {
        this.#finish({ ...record, downloads, outcome: 'failed', problem: check.problem });
        return undefined;
      }
    }
  }

  #download(assignment: Assignment, server: UpdateServer, signal: AbortSignal) {
    let reported = -PROGRESS_STEP_PERCENT;
    const onProgress = (percent: number) => {
      if (percent < reported + PROGRESS_STEP_PERCENT || percent === 100) return;
      reported = percent - (percent % PROGRESS_STEP_PERCENT);
      this.#reports.send({ sw_state: 'DOWNLOADING', sw_progress: reported });
    };
    return download(assignment, { ...this.#ports, server, onProgress }, signal);
  }

  /** Waits for the window and a random part of the spread. */
  async #waitForStart({ version }: Assignment, signal: AbortSignal): Promise<void> {
    const { clock, random, log } = this.#ports;
    const delayMs = startDelayMs(this.#settings, localMinute(clock.wallMs()), random.uniform());
    logEvent(log, 'FL-UPDATE-ASSIGNED', { version, inS: Math.round(delayMs / 1000) });
    await clock.sleep(delayMs, signal);
    await this.#waitForWindow(signal);
  }

  async #waitForWindow(signal: AbortSignal): Promise<void> {
    const { clock } = this.#ports;
    while (!signal.aborted && !isInWindow(this.#settings.window, localMinute(clock.wallMs())))
      await clock.sleep(WAIT_STEP_MS, signal);
  }

  #spaceProblem({ bytes }: Assignment): string | undefined {
    const needed = SPACE_FACTOR * bytes + SPACE_MARGIN_BYTES;
    const free = this.#ports.files.freeBytes;
    if (free >= needed) return undefined;
    return `the disk has ${free} bytes free, the update needs ${needed}: free some space and assign it again`;
  }

  #request({ assignment: { version }, request = '' }: UpdateRecord): void {
    this.#ports.request(request);
    logEvent(this.#ports.log, 'FL-UPDATE-INSTALLING', { version });
  }

  /** Requests once per boot: root's part continues by itself, unless the power failed before it took the request. */
  async #awaitResult(record: UpdateRecord, signal: AbortSignal): Promise<void> {
    const { clock, result, files } = this.#ports;
    const find = () => {
      const found = result();
      return found?.request === record.request ? found : undefined;
    };
    if (!find() && record.bootId !== clock.bootId && files.isReleased) {
      this.#request(record);
      files.save({ ...record, bootId: clock.bootId });
    }
    const startedMs = clock.monotonicMs();
    while (!signal.aborted) {
      const found = find();
      if (found) {
        const isUpdated = found.outcome === 'updated';
        const outcome = isUpdated ? 'updated' : 'failed';
        return this.#finish({ ...record, outcome, ...(found.problem && { problem: found.problem }) });
      }
      if (clock.monotonicMs() - startedMs >= RESULT_WITHIN_MS) {
        const problem =
          'the installation has no result: check systemctl status firstlight-update.path firstlight-update.service';
        return this.#finish({ ...record, outcome: 'failed', problem });
      }
      await clock.sleep(RESULT_POLL_MS, signal);
    }
  }

  #finish(record: UpdateRecord): void {
    const { files, log } = this.#ports;
    const finished: UpdateRecord = { ...record, phase: 'finished' };
    files.save(finished);
    files.discard();
    const { outcome, problem, assignment } = finished;
    const { version, title } = assignment;
    if (outcome === 'updated') logEvent(log, 'FL-UPDATE-COMPLETED', { version });
    else if (title !== UPDATE_TITLE) logEvent(log, 'FL-UPDATE-IGNORED', { version, problem });
    else logEvent(log, 'FL-UPDATE-FAILED', { version, problem });
    this.#report(finished);
  }

  #report(record: UpdateRecord): void {
    const { outcome, problem = '' } = record;
    const report: UpdateReport =
      outcome === 'updated' ? { sw_state: 'UPDATED' } : { sw_state: 'FAILED', sw_error: problem };
    this.#reports.send({ ...this.#installed(), ...report }, () => {
      const { files, log } = this.#ports;
      const current = files.load();
      if (current?.phase !== 'finished' || !isSameAssignment(current.assignment, record.assignment)) return;
      try {
        files.save({ ...current, isReported: true });
      } catch (error) {
        // The next start reports it again.
        logEvent(log, 'FL-UPDATE-INTERRUPTED', { problem: errorMessage(error) });
      }
    });
  }

  #installed(): UpdateReport {
    return { current_sw_title: UPDATE_TITLE, current_sw_version: this.#settings.installed };
  }
}
