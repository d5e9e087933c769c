/**
 * What a run of the container tests makes on this machine, and how it goes away again: at once when it is done, in reverse order when the
 * run ends early (Ctrl-C), and at the start of the next run when this one was killed.
 *
 * So that the next run knows them, the names of all such things begin with `fls<pid>`: directories, network namespaces, machines.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './command.ts';

/** Not /tmp, which may be in memory: some hundred megabytes go there. */
const PLACE = '/var/tmp';
const OURS = /^fls(\d+)/;
const CGROUPS = ['', 'unified', 'systemd'].map((name) => join('/sys/fs/cgroup', name));

/** How long what was killed may take to be gone. */
const DIE_WITHIN_MS = 5_000;
const LOOK_EVERY_MS = 20;

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

export interface WorkDirectory extends AsyncDisposable {
  readonly path: string;
}

export async function openWorkDirectory(): Promise<WorkDirectory> {
  const path = await mkdtemp(join(PLACE, `fls${process.pid}-`));
  const unregister = undoAtExit(() => removeTree(path));
  // Shared, so that what is unmounted here is also let go by a container that starts at that moment: nspawn copies all mounts
  // first, and a disk held by another one could not be mounted anew.
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

/** Ends whatever still runs in a container, and takes away its control groups and what its manager left in /run. */
export function forgetMachine(name: string): void {
  const groups = cgroupHierarchies().map((path) => join(path, name));
  for (const group of groups) {
    if (existsSync(join(group, 'cgroup.kill'))) writeFileSync(join(group, 'cgroup.kill'), '1');
  }
  const deadlineMs = performance.now() + DIE_WITHIN_MS;
  for (;;) {
    for (const group of groups) removeGroups(group);
    if (!groups.some((group) => existsSync(group)) || performance.now() > deadlineMs) break;
    // The end of this process waits for nothing that is not done at once.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOOK_EVERY_MS);
  }
  for (const place of ['propagate', 'unix-export'])
    rmSync(join('/run/systemd/nspawn', place, name), { recursive: true, force: true });
}

/**
 * Lines of shell that put what follows into control groups of its own: nspawn makes others beside itself, and a container's systemd takes
 * for its own what it finds itself in.
 */
export function intoGroups(name: string): string {
  const groups = cgroupHierarchies().map((path) => join(path, name));
  return groups.map((group) => `mkdir -p ${group} && echo 0 >${group}/cgroup.procs`).join('\n');
}

/** nspawn locks a directory by its inode, and leaves this file. */
export function lockOf(directory: string): string {
  const { dev, ino } = statSync(directory);
  return `/run/systemd/nspawn/locks/inode-${dev}:${ino}`;
}

/** The hierarchies that have control groups here: one on a usual machine, two on one that mixes versions 1 and 2. */
export function cgroupHierarchies(): readonly string[] {
  return CGROUPS.filter((path) => existsSync(join(path, 'cgroup.procs')));
}

/** Takes away what runs that were killed have left. */
export function removeStale(): void {
  const isStale = (name: string) => {
    const pid = OURS.exec(name)?.[1];
    return pid !== undefined && !existsSync(`/proc/${pid}`);
  };
  // Machines first: they hold on to the rest.
  for (const name of [...cgroupHierarchies(), '/run/systemd/nspawn/propagate']
    .flatMap(namesIn)
    .filter(isStale))
    forgetMachine(name);
  for (const name of namesIn('/run/netns').filter(isStale)) spawnSync('ip', ['netns', 'del', name]);
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
  return points.filter((point) => point === path || point.startsWith(`${path}/`));
}

function removeGroups(path: string): void {
  for (const entry of namesIn(path))
    if (existsSync(join(path, entry, 'cgroup.procs'))) removeGroups(join(path, entry));
  try {
    rmdirSync(path);
  } catch {
    // Not there, or somebody is still dying in it.
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
