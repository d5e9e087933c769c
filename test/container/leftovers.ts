/**
 * What a run of the container tests makes on this machine, and how it goes away again: at once when it is done, in reverse order when the
 * run ends early (Ctrl-C), and at the start of the next run when this one was killed.
 *
 * So that the next run knows them, the names of all such things begin with `fls<pid>`: directories, network namespaces, machines.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Not /tmp, which may be in memory: some hundred megabytes go there. */
const PLACE = '/var/tmp';
const OURS = /^fls(\d+)/;
const CGROUPS = ['', 'unified', 'systemd'].map((name) => join('/sys/fs/cgroup', name));

let made = 0;

/** A name that nothing else has, short enough for a network interface with a letter behind it. */
export function freshName(): string {
  made += 1;
  return `fls${process.pid}-${made}`;
}

/** Remembers how to undo something; what is returned forgets it again. Undoing must not wait for anything. */
export function undoAtExit(undo: () => void): () => void {
  process.prependOnceListener('exit', undo);
  return () => void process.removeListener('exit', undo);
}

export interface WorkPlace extends AsyncDisposable {
  readonly path: string;
}

export async function openWorkPlace(): Promise<WorkPlace> {
  const path = await mkdtemp(join(PLACE, `fls${process.pid}-`));
  const forget = undoAtExit(() => removeTree(path));
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      unmountBelow(path);
      await rm(path, { recursive: true, force: true });
      forget();
    },
  };
}

/** The control groups of a container that is gone, and what its manager left in /run. */
export function forgetMachine(name: string): void {
  for (const hierarchy of CGROUPS) removeGroups(join(hierarchy, name));
  for (const place of ['propagate', 'unix-export'])
    rmSync(join('/run/systemd/nspawn', place, name), { recursive: true, force: true });
}

/** The hierarchies that have control groups here: one on a usual machine, two on one that mixes versions 1 and 2. */
export function cgroupHierarchies(): readonly string[] {
  return CGROUPS.filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** Takes away what runs that were killed have left. */
export function sweep(): void {
  const isStale = (name: string) => {
    const pid = OURS.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  for (const name of namesIn('/run/netns').filter(isStale)) spawnSync('ip', ['netns', 'del', name]);
  for (const name of namesIn('/run/systemd/nspawn/propagate').filter(isStale)) forgetMachine(name);
  for (const hierarchy of CGROUPS)
    for (const name of namesIn(hierarchy).filter(isStale)) removeGroups(join(hierarchy, name));
  for (const name of namesIn(PLACE).filter(isStale)) removeTree(join(PLACE, name));
}

/** A tree in which file systems may be mounted: those are let go first, or their files would go. */
function removeTree(path: string): void {
  if (unmountBelow(path)) rmSync(path, { recursive: true, force: true });
}

/** Whether nothing is mounted there any more; a loop device goes with its mount. */
function unmountBelow(path: string): boolean {
  const mounts = mountsBelow(path);
  for (const mount of mounts.reverse()) spawnSync('umount', ['-l', mount], { stdio: 'ignore' });
  return mountsBelow(path).length === 0;
}

function mountsBelow(path: string): string[] {
  const points = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '');
  return points.filter((point) => point.startsWith(`${path}/`));
}

function removeGroups(path: string): void {
  for (const entry of namesIn(path))
    if (existsSync(join(path, entry, 'cgroup.procs'))) removeGroups(join(path, entry));
  try {
    rmdirSync(path);
  } catch {
    // Not there, or somebody is still dying in it: the next run's sweep finds it.
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
