/**
 * Downloads the assigned package chunk by chunk: one in flight, at a bounded rate, only while the session delivers and no fresh
 * reading waits. Goes on where it was, after outages for as long as the assignment exists.
 */

import type { FailureReason } from '../../core/failures/failure.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { CHUNK_BYTES } from '../../core/ports/software-source.ts';
import type { Assignment } from '../../core/update/assignment.ts';
import type { UpdateFiles } from './update-record.ts';
import type { UpdateServer } from './update-server.ts';

export interface DownloadPorts {
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  /** How long to wait after this number of failures in a row, ms. */
  readonly retryMs: (failures: number) => number;
  readonly files: Pick<UpdateFiles, 'partialBytes' | 'write'>;
  readonly server: UpdateServer;
  /** Whether fresh readings wait for delivery. */
  readonly isBusy: () => boolean;
  /** Called with whole percents, ascending. */
  readonly onProgress: (percent: number) => void;
}

export type DownloadResult =
  | { readonly is: 'complete' }
  | { readonly is: 'stopped' }
  | { readonly is: 'refused'; readonly problem: string };

/** 1 MB takes two minutes. */
const RATE_BYTES_PER_S = 8 * 1024;
const BUSY_RETRY_MS = 200;
/** The server answers, but not with a chunk of this package. */
const REFUSALS: ReadonlySet<FailureReason> = new Set(['request-malformed', 'unexpected-response']);
/** In a row. The attributes of another assignment arrive sooner. */
const REFUSALS_MAX = 5;

export async function download(
  { title, version, bytes }: Assignment,
  ports: DownloadPorts,
  signal: AbortSignal,
): Promise<DownloadResult> {
  const { clock, retryMs, files, server, isBusy, onProgress } = ports;
  let [failures, refusals] = [0, 0];
  let offset = Math.min(files.partialBytes, bytes);
  while (offset < bytes) {
    const token = await server.connected(signal);
    if (token === undefined) return { is: 'stopped' };
    if (isBusy()) {
      await clock.sleep(BUSY_RETRY_MS, signal);
      continue;
    }
    const startedMs = clock.monotonicMs();
    const result = await server.downloadChunk(token, { title, version, offset }, signal);
    if (signal.aborted) return { is: 'stopped' };
    const detail = result.ok ? lengthProblem(result.value, bytes - offset) : result.failure.detail;
    if (result.ok && detail === undefined) {
      files.write(offset, result.value);
      offset += result.value.length;
      [failures, refusals] = [0, 0];
      onProgress(Math.floor((100 * offset) / bytes));
      const dueMs = startedMs + (1000 * result.value.length) / RATE_BYTES_PER_S;
      await clock.sleep(dueMs - clock.monotonicMs(), signal);
      continue;
    }
    failures += 1;
    if (result.ok || REFUSALS.has(result.failure.reason)) refusals += 1;
    if (refusals >= REFUSALS_MAX)
      return {
        is: 'refused',
        problem: `the server does not send the assigned package (${detail}): check that it contains data and is assigned to this device`,
      };
    await clock.sleep(retryMs(failures), signal);
  }
  return { is: 'complete' };
}

/** Undefined if the chunk can be appended. */
function lengthProblem({ length }: Uint8Array, remaining: number): string | undefined {
  const isFitting =
    length > 0 && (length === remaining || (length < remaining && length % CHUNK_BYTES === 0));
  return isFitting ? undefined : `a chunk of ${length} bytes where ${remaining} remain`;
}
