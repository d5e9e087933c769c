/**
 * The software that the server assigns to this gateway: the shared attributes sw_* (contract section 7), unchecked, because
 * the server chooses them. An assignment arrives as a deletion of some of them and then all of them.
 */

import type { AttributeUpdate } from '../ports/downlink.ts';
import { UPDATE_TITLE } from './manifest.ts';
import { isPackageVersion } from './package-version.ts';

export interface Assignment {
  readonly title: string;
  readonly version: string;
  /** 0: it is not in the server, but at a URL. */
  readonly bytes: number;
  /** Lower-case hexadecimal. */
  readonly checksum: string;
  /** As ThingsBoard names it: SHA256, MD5, … */
  readonly algorithm: string;
}

const PREFIX = 'sw_';
/** The attributes that ThingsBoard sets; others are ignored, so that their number is bounded. */
const NAMES: ReadonlySet<string> = new Set(
  ['title', 'version', 'tag', 'size', 'checksum', 'checksum_algorithm', 'url'].map(
    (name) => `${PREFIX}${name}`,
  ),
);
const WORD_CHARACTERS_MAX = 255;

export class AssignedSoftware {
  readonly #values = new Map<string, unknown>();

  /** Whether one of the attributes changed. */
  onAttributes(update: AttributeUpdate): boolean {
    const before = JSON.stringify([...this.#values].sort());
    if (update.is === 'all') this.#values.clear();
    if (update.is === 'deleted') for (const key of update.keys) this.#values.delete(key);
    else for (const [key, value] of Object.entries(update.values)) this.#set(key, value);
    return JSON.stringify([...this.#values].sort()) !== before;
  }

  /** Undefined: none, or not all of its attributes have arrived. */
  get current(): Assignment | undefined {
    const [title, version] = [this.#word('title'), this.#word('version')];
    const isElsewhere = this.#word('url') !== undefined;
    if (isElsewhere && title !== undefined && version !== undefined)
      return { title, version, bytes: 0, checksum: '', algorithm: '' };
    const [checksum, algorithm] = [this.#word('checksum'), this.#word('checksum_algorithm')];
    const bytes = Number(this.#values.get('sw_size'));
    if (title === undefined || version === undefined || checksum === undefined || algorithm === undefined)
      return undefined;
    if (!Number.isSafeInteger(bytes) || bytes <= 0) return undefined;
    return { title, version, bytes, checksum: checksum.toLowerCase(), algorithm };
  }

  #set(key: string, value: unknown): void {
    const isBounded =
      typeof value === 'number' || (typeof value === 'string' && value.length <= WORD_CHARACTERS_MAX);
    if (isBounded && NAMES.has(key)) this.#values.set(key, value);
    else this.#values.delete(key);
  }

  #word(name: string): string | undefined {
    const value = this.#values.get(`${PREFIX}${name}`);
    return typeof value === 'string' && value !== '' && value.length <= WORD_CHARACTERS_MAX
      ? value
      : undefined;
  }
}

export function isSameAssignment(a: Assignment, b: Assignment): boolean {
  return (
    a.title === b.title &&
    a.version === b.version &&
    a.bytes === b.bytes &&
    a.checksum === b.checksum &&
    a.algorithm === b.algorithm
  );
}

/** Why this gateway does not download it; a sentence "cause: action". Undefined if it does. */
export function assignmentProblem(
  { title, version, bytes }: Assignment,
  bytesMax: number,
): string | undefined {
  if (title !== UPDATE_TITLE)
    return `the assigned software has the title "${title}", which is not for this agent: name it "${UPDATE_TITLE}" if it is an update of Firstlight`;
  if (!isPackageVersion(version))
    return `the assigned version "${version}" has no valid form: upload the update with the version of its manifest`;
  if (bytes === 0)
    return 'the assigned software is only a URL, which this agent does not open: upload the update file itself';
  if (bytes > bytesMax)
    return `the assigned software has ${bytes} bytes, the limit is ${bytesMax}: upload an update made by npm run package -- --sign`;
  return undefined;
}
