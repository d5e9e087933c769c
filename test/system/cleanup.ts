/**
 * Removes what a run of the container tests creates on this machine: at once when it is no longer needed, in
 * reverse order if the run ends early (Ctrl-C), and at the start of the next run if this one was killed.
 *
 * The names of these directories, network namespaces and machines begin with `fls<pid>`, so that the next run
 * recognises them.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';

/** Not /tmp, which may be in memory: a run needs some hundred megabytes. */
const WORK_ROOT = '/var/tmp';
const RUN_NAME = /^fls(\d+)/;
const CGROUPS = ['', 'unified', 'systemd'].map((name) => join('/sys/fs/cgroup', name));

/** How long killed processes may take to end. */
const END_WITHIN_MS = 5_000;
const POLL_EVERY_MS = 20;

let nameCount = 0;

/** A unique name, short enough for a network interface with one more letter. */
export function freshName(): string {
  nameCount += 1;
  return `fls${process.pid}-${nameCount}`;
}

/**
 * Registers `undo` for the end of this process; the returned function unregisters it. `undo` must be
 * synchronous.
 */
export function undoAtExit(undo: () => void): () => void {
  process.prependOnceListener('exit', undo);
  return () => void process.removeListener('exit', undo);
}

export interface WorkDirectory extends AsyncDisposable {
  readonly path: string;
}

export async function openWorkDirectory(): Promise<WorkDirectory> {
  const path = await mkdtemp(join(WORK_ROOT, `fls${process.pid}-`));
  const unregister = undoAtExit(() => removeTree(path));
  // Shared, so that an unmount here also applies to a container that starts at that moment: nspawn copies all
  // mounts first, and a disk that another container holds could not be mounted again.
  await run(['mount', '--bind', path, path]);
  await run(['mount', '--make-shared', path]);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      unmountBelow(path);
      await rm(path, { recursive: true, force: true });
      unregister();
    },
  };
}

/** Ends all processes of a container, and removes its control groups and what systemd-nspawn left in /run. */
export function removeMachine(name: string): void {
  const groups = cgroupHierarchies().map((path) => join(path, name));
  for (const group of groups) {
    if (existsSync(join(group, 'cgroup.kill'))) writeFileSync(join(group, 'cgroup.kill'), '1');
  }
  const deadlineMs = performance.now() + END_WITHIN_MS;
  for (;;) {
    for (const group of groups) removeGroups(group);
    if (!groups.some((group) => existsSync(group)) || performance.now() > deadlineMs) break;
    // Synchronous, because this also runs while the process exits.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, POLL_EVERY_MS);
  }
  for (const directory of ['propagate', 'unix-export'])
    rmSync(join('/run/systemd/nspawn', directory, name), { recursive: true, force: true });
}

/**
 * Shell lines that move the following commands into control groups of their own: nspawn creates others beside
 * itself, and the systemd of a container takes over the group in which it starts.
 */
export function enterGroupsScript(name: string): string {
  const groups = cgroupHierarchies().map((path) => join(path, name));
  return groups.map((group) => `mkdir -p ${group} && echo 0 >${group}/cgroup.procs`).join('\n');
}

/** The lock file that nspawn leaves; it names the inode of the directory. */
export function lockFileOf(directory: string): string {
  const { dev, ino } = statSync(directory);
  return `/run/systemd/nspawn/locks/inode-${dev}:${ino}`;
}

/** The control group hierarchies of this machine: usually one; two if it mixes versions 1 and 2. */
export function cgroupHierarchies(): readonly string[] {
  return CGROUPS.filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** Removes what killed runs have left behind. */
export function removeStale(): void {
  const isStale = (name: string) => {
    const pid = RUN_NAME.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  // Machines first, because they use the rest.
  for (const name of [...cgroupHierarchies(), '/run/systemd/nspawn/propagate']
    .flatMap(namesIn)
    .filter(isStale))
    removeMachine(name);
  for (const name of namesIn('/run/netns').filter(isStale)) spawnSync('ip', ['netns', 'del', name]);
  for (const name of namesIn(WORK_ROOT).filter(isStale)) removeTree(join(WORK_ROOT, name));
}

/** Removes a directory; file systems mounted below it are unmounted first, so that their files stay. */
function removeTree(path: string): void {
  if (unmountBelow(path)) rmSync(path, { recursive: true, force: true });
}

/** Whether nothing is mounted there any more; unmounting also releases a loop device. */
function unmountBelow(path: string): boolean {
  const mounts = mountsBelow(path);
  for (const mount of mounts.reverse()) spawnSync('umount', ['-l', mount], { stdio: 'ignore' });
  return mountsBelow(path).length === 0;
}

function mountsBelow(path: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) => point === path || point.startsWith(`${path}/`));
}

function removeGroups(path: string): void {
  for (const entry of namesIn(path))
    if (existsSync(join(path, entry, 'cgroup.procs'))) removeGroups(join(path, entry));
  try {
    rmdirSync(path);
  } catch {
    // It does not exist, or a process in it has not ended yet.
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
