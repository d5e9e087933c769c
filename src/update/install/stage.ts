/**
 * Stages an update: verifies the head of the file, copies the package of this host out of it, verifies the copy, and keeps the
 * installed package. Nothing of the installed program is touched. A power cut here starts it again from the beginning.
 *
 * Of the file of the agent no byte is copied before a signature of a trusted key and the sizes are verified.
 */

import type { Clock } from '../../core/ports/clock.ts';
import type { AgentHealth } from '../../core/update/health-gate.ts';
import type { Run, UpdateResult } from '../../core/update/installation.ts';
import { type Checked, partFor, versionProblem } from '../../core/update/manifest.ts';
import type { takeRequest } from '../request-file.ts';
import type { TrustedKeys } from '../trusted-keys.ts';
import { extractPart, type VerifiedUpdate, verifyHead } from '../update-file.ts';
import type { UpdateSource } from '../update-source.ts';
import type { AgentService, Dpkg, InstallationDisk } from './ports.ts';
import { type RunFiles, readFailed, readResult, writeResult } from './run-files.ts';

/** A file in a directory of the agent's user. */
export interface AgentFile {
  readonly directory: string;
  /** Relative to it. */
  readonly path: string;
}

export interface StagingPorts {
  readonly disk: InstallationDisk;
  readonly dpkg: Dpkg;
  readonly service: AgentService;
  readonly clock: Pick<Clock, 'monotonicMs' | 'sleep'>;
  readonly files: RunFiles;
  readonly agentFile: AgentFile;
  readonly trustedKeys: () => TrustedKeys;
  /** Removes the request of the agent. Undefined: there is none. */
  readonly takeRequest: () => ReturnType<typeof takeRequest>;
}

export type Staged =
  | { readonly is: 'staged'; readonly run: Run }
  | { readonly is: 'refused'; readonly result: UpdateResult; readonly isOfOperator: boolean }
  | { readonly is: 'nothing' };

/** For the packages, the unpacked files of two versions and dpkg itself: times the size of the update. */
const SPACE_FACTOR = 8;
const SPACE_MARGIN_BYTES = 8_000_000;
/** Where dpkg writes, beside our own directory: they may be on other file systems. */
const DPKG_PLACES = ['/usr', '/var/lib/dpkg'];
/** More than the status file needs to follow. */
const STATUS_SETTLES_MS = 15_000;
const STATUS_POLL_MS = 1_000;

export async function stage(ports: StagingPorts): Promise<Staged> {
  const { disk, files } = ports;
  // The operator precedes; the request of the agent waits.
  const isOfOperator = disk.size(files.incoming) !== undefined;
  // First, so that a request that cannot be served is not served again and again.
  const request = isOfOperator ? undefined : ports.takeRequest();
  if (!isOfOperator && !request) return { is: 'nothing' };
  const id = request?.id;
  // After a power cut the agent may request again what was done meanwhile.
  if (id !== undefined && readResult(disk, files)?.request === id) return { is: 'nothing' };
  const found: { version?: string } = {};
  const staged =
    isOfOperator || id !== undefined
      ? await prepareSafely(ports, isOfOperator, found)
      : refused('the request of the agent has no id: restart firstlight');
  const origin = id === undefined ? {} : { request: id };
  if (staged.ok) return { is: 'staged', run: { ...staged.value, ...origin } };
  const result: UpdateResult = { outcome: 'refused', ...origin, ...found, problem: staged.problem };
  writeResult(disk, files, result);
  // A file that the operator has added meanwhile stays.
  for (const file of [files.newPackage, ...(isOfOperator ? [files.incoming] : [])]) disk.remove(file);
  return { is: 'refused', result, isOfOperator };
}

/** An error of the file or of the disk refuses the update; the request is taken already. */
async function prepareSafely(
  ports: StagingPorts,
  isOfOperator: boolean,
  found: { version?: string },
): Promise<Checked<Run>> {
  try {
    return await prepare(ports, isOfOperator, found);
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    const { agentFile, files } = ports;
    const file = isOfOperator ? files.incoming : `${agentFile.directory}/${agentFile.path}`;
    return refused(`the update cannot be copied (${String(error.code)}): check ${file} and the disk`);
  }
}

/** `found` gets what is known of the update, also if it is refused. */
async function prepare(
  ports: StagingPorts,
  isOfOperator: boolean,
  found: { version?: string },
): Promise<Checked<Run>> {
  const { disk, dpkg, files, agentFile } = ports;
  const { keys, problems } = ports.trustedKeys();
  if (keys.size === 0)
    return refused(
      problems[0] ?? 'there is no key in /etc/firstlight/update-keys.d: add one to turn updates on',
    );
  using source = isOfOperator
    ? disk.open(files.incoming)
    : disk.openBeneath(agentFile.directory, agentFile.path);
  const verified = verifyHead(source, keys);
  if (!verified.ok) return verified;
  const { manifest, digest } = verified.value;
  found.version = manifest.version;
  const earlier = isOfOperator ? undefined : readFailed(disk, files).find((each) => each.digest === digest);
  if (earlier) return refused(`this update failed before (${earlier.problem}): assign another version`);
  const previous = await dpkg.installedVersion();
  if (previous === undefined)
    return refused('dpkg has not installed firstlight completely: run apt-get install --fix-broken');
  const notAllowed = versionProblem(manifest, previous) ?? spaceProblem(ports, source.bytes);
  if (notAllowed !== undefined) return refused(notAllowed);
  const problem = (await extract(ports, source, verified.value)) ?? (await keepInstalled(ports, previous));
  if (problem !== undefined) return refused(problem);
  return {
    ok: true,
    value: { version: manifest.version, previous, digest, before: await settledHealth(ports) },
  };
}

function spaceProblem({ disk, files }: StagingPorts, bytes: number): string | undefined {
  const needed = SPACE_FACTOR * bytes + SPACE_MARGIN_BYTES;
  for (const place of [files.private, ...DPKG_PLACES]) {
    const free = disk.freeBytes(place);
    if (free < needed)
      return `the file system of ${place} has ${free} bytes free, the update needs ${needed}: free some space there`;
  }
  return undefined;
}

/**
 * The health before the update, of the process that systemd has started: a status file of any other process counts as none. The
 * file follows the agent by a few seconds: of an agent that has just started it shows less than the agent has, and the gate would
 * ask less of the new version.
 */
async function settledHealth({ service, clock }: StagingPorts): Promise<AgentHealth> {
  const { signal } = new AbortController();
  const untilMs = clock.monotonicMs() + STATUS_SETTLES_MS;
  for (;;) {
    const { agent, activeState, mainPid } = await service.observe();
    const isMain = activeState === 'active' && mainPid > 0 && agent.pid === mainPid;
    if (isMain && agent.hasCredentials && agent.isAccepted) return agent;
    if (clock.monotonicMs() >= untilMs) return isMain ? agent : { hasCredentials: false, isAccepted: false };
    await clock.sleep(STATUS_POLL_MS, signal);
  }
}

/** Undefined, or why the package is not the one that the manifest describes. */
async function extract(
  { disk, dpkg, files }: StagingPorts,
  source: UpdateSource,
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
