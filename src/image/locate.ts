/**
 * Finds the files of a mounted image. Absolute links in an image name paths of the image; the kernel would follow them to
 * this host.
 */

import { readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** As in the kernel (path_resolution(7)). */
const LINKS_MAX = 40;
/** Nothing can be below it: opening such a path fails with ENOTDIR. */
const NOWHERE = '/dev/null';

/**
 * Where an absolute path of the image that is mounted at `root` is on this host, with all links resolved. Parts that do not
 * exist, or cannot be read, stay as they are. With too many links, such as a circle, it is a path that cannot exist.
 */
export function locateInImage(root: string, path: string): string {
  const resolved = resolveInImage(root, path);
  return resolved === undefined ? join(NOWHERE, path) : join(root, resolved);
}

/** The same path in the image, without links. Undefined with too many links. */
export function resolveInImage(root: string, path: string): string | undefined {
  const parts = path.split('/');
  let [links, located] = [0, '/'];
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    if (part === '' || part === '.') continue;
    const next = part === '..' ? dirname(located) : join(located, part);
    const target = part === '..' ? undefined : readLink(join(root, next));
    if (target === undefined) {
      located = next;
      continue;
    }
    links += 1;
    if (links > LINKS_MAX) return undefined;
    if (target.startsWith('/')) located = '/';
    parts.unshift(...target.split('/'));
  }
  return located;
}

/** Its target; undefined if the path is no link. */
export function readLink(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
