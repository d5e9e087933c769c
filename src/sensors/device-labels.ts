/** What devices in /sys call themselves, and where they lead to; a file that cannot be read must not cost the other devices. */

import { labelPart } from './key-name.ts';
import { wholeLines } from './parse.ts';
import type { Tree } from './tree.ts';

const BYTES_MAX = 512;

/** A name or a label; one without a letter or a digit is none. */
export function labelIn(tree: Tree, path: string): string | undefined {
  try {
    const [text = ''] = wholeLines(tree.read(path, BYTES_MAX), path);
    return labelPart(text) === '' ? undefined : text;
  } catch {
    return undefined;
  }
}

/** Where the symbolic link points; '' when there is none. */
export function wayTo(tree: Tree, path: string): string {
  try {
    return tree.link(path);
  } catch {
    return '';
  }
}
