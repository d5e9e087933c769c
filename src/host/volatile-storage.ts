/**
 * Whether a directory is on storage that a power cut or reboot empties: a tmpfs or ramfs, a RAM disk (zram), or an
 * overlay whose changes are on one of these. So are /var/lib in memory (log2ram and the like, which copy to the
 * disk at an orderly shutdown at best) and the read-only root of raspi-config, overlayroot and live systems.
 *
 * In doubt it is not: the layer for the changes of a container's root is on a file system that the container
 * does not see.
 */

import { lstatSync, readFileSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { logEvent } from '../core/events/catalogue.ts';
import type { Config } from '../core/model/config.ts';
import { errorCode } from '../core/model/error-code.ts';
import type { Logger } from '../core/ports/log.ts';

/**
 * Says that the state directory does not outlive a reboot: to be called before the first provisioning request.
 * The agent provisions nevertheless, because it cannot know whether that is intended
 * (docs/decisions/README.md). A fixed token is not lost, so nothing is said then.
 */
export function warnIfVolatile(state: string, { device }: Pick<Config, 'device'>, log: Logger): void {
  const storage = device.token ? undefined : findVolatileStorage(state);
  if (storage !== undefined) logEvent(log, 'FL-STATE-VOLATILE', { state, storage });
}

/** What it is on, for an operator, such as "tmpfs at /var/lib"; undefined if it is not in memory. */
export function findVolatileStorage(directory: string, root = '/'): string | undefined {
  const mounts = readMounts(root);
  const mount = mountOf(existingPath(directory, root), mounts);
  return mount && describeVolatile(mount, mounts, root);
}

interface Mount {
  readonly point: string;
  readonly type: string;
  readonly source: string;
  readonly options: ReadonlyMap<string, string>;
}

const MEMORY_TYPES: ReadonlySet<string> = new Set(['tmpfs', 'ramfs', 'rootfs', 'devtmpfs']);
const MEMORY_DEVICE = /^\/dev\/(zram|ram)\d+$/;
/** Overlays over overlays; more is not built. */
const LAYERS_MAX = 4;
/**
 * Of the kernel command line: the root is an overlay with a tmpfs that nobody sees later. overlayroot(8),
 * Raspberry Pi OS before 12, systemd-volatile-root(8).
 */
const VOLATILE_ROOT =
  /(^|\s)(overlayroot=tmpfs\S*|boot=overlay|systemd\.volatile=(overlay|yes|1|true))(\s|$)/;

function describeVolatile(
  mount: Mount,
  mounts: readonly Mount[],
  root: string,
  layers = 1,
): string | undefined {
  const { type, source, point } = mount;
  if (MEMORY_TYPES.has(type)) return `${type} at ${point}`;
  if (MEMORY_DEVICE.test(source)) return `${source} at ${point}`;
  if (type !== 'overlay' || layers > LAYERS_MAX) return undefined;
  const [upper, work] = [mount.options.get('upperdir'), mount.options.get('workdir')];
  // Both are visible, so the path means the same here as when the overlay was mounted.
  if (upper !== undefined && work !== undefined && isVisible(upper, root) && isVisible(work, root)) {
    const upperMount = mountOf(upper, mounts);
    const below = upperMount && describeVolatile(upperMount, mounts, root, layers + 1);
    return below && `an overlay at ${point}, whose changes are on ${below}`;
  }
  return point === '/' && VOLATILE_ROOT.test(readText(root, 'proc/cmdline'))
    ? 'an overlay at /, whose changes are in memory'
    : undefined;
}

/** The mount with the longest point above the path; of two on one point, the later one hides the other. */
function mountOf(path: string, mounts: readonly Mount[]): Mount | undefined {
  return mounts
    .toReversed()
    .filter(({ point }) => path === point || path.startsWith(point.replace(/\/?$/, '/')))
    .toSorted((a, b) => b.point.length - a.point.length)[0];
}

/** Fields of a line: id, parent, device, root, mount point, options, optional fields, a dash, type, source, options of the file system. */
function readMounts(root: string): readonly Mount[] {
  return readText(root, 'proc/self/mountinfo')
    .split('\n')
    .flatMap((line) => {
      const dash = line.indexOf(' - ');
      const point = line.slice(0, Math.max(dash, 0)).split(' ')[4];
      const [type = '', source = '', options = ''] = line.slice(dash + ' - '.length).split(' ');
      return point === undefined
        ? []
        : [{ point: decode(point), type, source, options: parseOptions(options) }];
    });
}

function parseOptions(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split(',').map((option) => {
      const at = option.indexOf('=');
      return at < 0 ? [option, ''] : [option.slice(0, at), decode(option.slice(at + 1))];
    }),
  );
}

/** `\040` is a space. */
function decode(escaped: string): string {
  return escaped.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

/** The path without links; of one that does not exist yet, that of the directory in which it will be created. */
function existingPath(directory: string, root: string): string {
  const [base, absolute] = [resolve(root), resolve(directory)];
  for (let path = absolute; ; path = dirname(path)) {
    try {
      const real = realpathSync(join(base, path));
      return base === '/' ? real : real.slice(base.length) || '/';
    } catch {
      if (path === '/') return absolute;
    }
  }
}

function isVisible(path: string, root: string): boolean {
  try {
    lstatSync(join(root, path));
    return true;
  } catch (error) {
    return errorCode(error) === 'EACCES';
  }
}

function readText(root: string, path: string): string {
  try {
    return readFileSync(join(root, path), 'utf8');
  } catch {
    return '';
  }
}
