/**
 * Stages an update: copies the file of the agent, verifies the copy, and keeps the installed package. Nothing of the installed
 * program is touched. A power cut here starts it again from the beginning.
 */

import { createHash } from 'node:crypto';
import type { Clock } from '../../core/ports/clock.ts';
import type { AgentHealth } from '../../core/update/health-gate.ts';
import type { Run, UpdateResult } from '../../core/update/installation.ts';
import { type Checked, partFor, versionProblem } from '../../core/update/manifest.ts';
import type { TrustedKeys } from '../trusted-keys.ts';
import { extractPart, UPDATE_BYTES_MAX, type VerifiedUpdate, verifyUpdate } from '../update-file.ts';
import type { AgentService, Dpkg, InstallationDisk } from './ports.ts';
import { type RunFiles, readResult, writeResult } from './run-files.ts';

export interface StagingPorts {
  readonly disk: InstallationDisk;
  readonly dpkg: Dpkg;
  readonly service: AgentService;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly files: RunFiles;
  /** The file of the agent. */
  readonly agentFile: string;
  readonly trustedKeys: () => TrustedKeys;
  /** Removes the request of the agent. */
  readonly takeRequest: () => void;
}

export type Staged =
  | { readonly ok: true; readonly run: Run }
  | { readonly ok: false; readonly result: UpdateResult };

const COPY_CHUNK_BYTES = 256 * 1024;
/** For the copy, the package, the unpacked files of two versions and dpkg itself: times the size of the update. */
const SPACE_FACTOR = 8;
const SPACE_MARGIN_BYTES = 8_000_000;
/** More than the interval of the status file. */
const STATUS_SETTLES_MS = 15_000;
const STATUS_POLL_MS = 1_000;

export async function stage(ports: StagingPorts): Promise<Staged> {
  const { disk, files, takeRequest } = ports;
  // First, so that a request that cannot be served is not served again and again. The operator precedes; the agent waits.
  const isOfOperator = disk.size(files.incoming) !== undefined;
  if (!isOfOperator) takeRequest();
  const found: { file?: string; version?: string } = {};
  const staged = await prepare(ports, found);
  if (staged.ok) return { ok: true, run: staged.value };
  const result: UpdateResult = { outcome: 'refused', ...found, problem: staged.problem };
  // After a power cut the agent may request again what was done meanwhile: the result stays the one of the installation.
  const earlier = readResult(disk, files);
  const isRepeated = earlier !== undefined && earlier.outcome !== 'refused' && earlier.file === found.file;
  if (!isRepeated) writeResult(disk, files, result);
  // A file that the operator has added meanwhile stays.
  const handled = [files.update, files.newPackage, ...(isOfOperator ? [files.incoming] : [])];
  for (const file of handled) disk.remove(file);
  return { ok: false, result };
}

/** `found` gets what is known of the file, also if it is refused. */
async function prepare(
  ports: StagingPorts,
  found: { file?: string; version?: string },
): Promise<Checked<Run>> {
  const { disk, dpkg, files, agentFile } = ports;
  const { keys, problems } = ports.trustedKeys();
  if (keys.size === 0)
    return refused(
      problems[0] ?? 'there is no key in /etc/firstlight/update-keys.d: add one to turn updates on',
    );
  const isOfOperator = disk.size(files.incoming) !== undefined;
  const copied = await copy(disk, isOfOperator ? files.incoming : agentFile, files.update);
  if (!copied.ok) return copied;
  found.file = copied.value;
  using source = disk.open(files.update);
  const verified = await verifyUpdate(source, keys);
  if (!verified.ok) return verified;
  const { version } = verified.value.manifest;
  found.version = version;
  const earlier = readResult(disk, files);
  if (!isOfOperator && earlier?.outcome === 'failed' && earlier.file === found.file)
    return refused(`this update failed before (${earlier.problem}): assign another version`);
  const previous = await dpkg.installedVersion();
  if (previous === undefined)
    return refused('dpkg has not installed firstlight completely: run apt-get install --fix-broken');
  const notAllowed = versionProblem(verified.value.manifest, previous);
  if (notAllowed !== undefined) return refused(notAllowed);
  const free = disk.freeBytes('/usr');
  const needed = SPACE_FACTOR * source.bytes + SPACE_MARGIN_BYTES;
  if (free < needed)
    return refused(`the disk has ${free} bytes free, the update needs ${needed}: free some space`);
  const extracted = await extract(ports, source, verified.value);
  if (extracted !== undefined) return refused(extracted);
  const kept = await keepInstalled(ports, previous);
  if (kept !== undefined) return refused(kept);
  return { ok: true, value: { version, previous, file: found.file, before: await settledHealth(ports) } };
}

/**
 * The health before the update. The status file is up to ten seconds old: of an agent that has just started it shows less than
 * the agent has, and the gate would ask less of the new version.
 */
async function settledHealth({ service, clock }: StagingPorts): Promise<AgentHealth> {
  const { signal } = new AbortController();
  const untilMs = clock.monotonicMs() + STATUS_SETTLES_MS;
  for (;;) {
    const health = await service.health();
    if ((health.hasCredentials && health.isAccepted) || clock.monotonicMs() >= untilMs) return health;
    await clock.sleep(STATUS_POLL_MS, signal);
  }
}

/** Returns the SHA-256 of the copy. */
async function copy(disk: InstallationDisk, from: string, to: string): Promise<Checked<string>> {
  const hash = createHash('sha256');
  try {
    using source = disk.open(from);
    if (source.bytes > UPDATE_BYTES_MAX)
      return refused(`the file has ${source.bytes} bytes, the limit is ${UPDATE_BYTES_MAX}: it is no update`);
    if (disk.freeBytes(to) < source.bytes + SPACE_MARGIN_BYTES)
      return refused('the disk has no space for a copy of the update: free some space');
    await disk.create(to, async (write) => {
      for (let done = 0; done < source.bytes; done += COPY_CHUNK_BYTES) {
        const bytes = source.read(done, Math.min(COPY_CHUNK_BYTES, source.bytes - done));
        hash.update(bytes);
        write(bytes);
      }
    });
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    return refused(`the update cannot be copied (${String(error.code)}): check ${from}`);
  }
  return { ok: true, value: hash.digest('hex') };
}

/** Undefined, or why the package is not the one that the manifest describes. */
async function extract(
  { disk, dpkg, files }: StagingPorts,
  source: Parameters<typeof extractPart>[0],
  update: VerifiedUpdate,
): Promise<string | undefined> {
  const part = partFor(update.manifest, await dpkg.architecture());
  if (!part.ok) return part.problem;
  let problem: string | undefined;
  await disk.create(files.newPackage, async (write) => {
    problem = await extractPart(source, update, part.value, write);
  });
  if (problem !== undefined) return problem;
  const fields = await dpkg.fields(files.newPackage);
  const { package: packageName, architecture } = part.value;
  const { version } = update.manifest;
  if (fields?.package !== packageName || fields.version !== version || fields.architecture !== architecture) {
    const what = fields ? `${fields.package} ${fields.version} ${fields.architecture}` : 'no package';
    return `the part ${part.value.name} is ${what}, and the manifest says ${packageName} ${version} ${architecture}: sign the update again`;
  }
  if (!(await dpkg.canGoBack(files.newPackage)))
    return `version ${version} has no updates of its own, so that a gateway could not go back: install it by hand`;
  return undefined;
}

/** Undefined, or why there would be no way back. */
async function keepInstalled(
  { disk, dpkg, files }: StagingPorts,
  previous: string,
): Promise<string | undefined> {
  const isKept = async (file: string) =>
    disk.size(file) !== undefined && (await dpkg.fields(file))?.version === previous;
  if (await isKept(files.keptPackage)) disk.rename(files.keptPackage, files.oldPackage);
  // Of a staging that was interrupted.
  if (await isKept(files.oldPackage)) return undefined;
  const result = await dpkg.repack(files.oldPackage);
  return result.ok ? undefined : `version ${previous} cannot be kept for the way back: ${result.problem}`;
}

function refused(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem };
}
