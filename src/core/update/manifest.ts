/**
 * The manifest of an update file: what it contains and from which versions it may be installed. Only a manifest whose
 * signature was verified is parsed. A member that this version does not know is an error, because it may be a condition.
 */

import { isJsonObject, type JsonObject, parseJsonObject } from '../model/json-object.ts';
import { comparePackageVersions, isPackageVersion } from './package-version.ts';

/** The package in dpkg, and the title in ThingsBoard. */
export const UPDATE_TITLE = 'firstlight';
export const MANIFEST_BYTES_MAX = 64_000;
/** All parts together. */
export const PARTS_BYTES_MAX = 64_000_000;
const PARTS_MAX = 16;

export interface Part {
  /** A file name. */
  readonly name: string;
  /** The name of the package. */
  readonly package: string;
  /** As dpkg names it, or `all`. */
  readonly architecture: string;
  readonly bytes: number;
  /** 64 lower-case hexadecimal digits. */
  readonly sha256: string;
}

export interface Manifest {
  readonly title: string;
  readonly version: string;
  /** The oldest version that this one may replace. */
  readonly minimumVersion: string;
  /** Whether it may replace newer versions, up to `maximumVersion`. */
  readonly allowDowngrade: boolean;
  /**
   * The newest version that this one may replace: present if the downgrade is allowed, so that a later version cannot be
   * replaced by an old update that somebody kept.
   */
  readonly maximumVersion?: string;
  /** In the order in which they follow the manifest. */
  readonly parts: readonly Part[];
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  /** `problem`: a sentence "cause: action". */
  | { readonly ok: false; readonly problem: string };

export function parseManifest(text: string): Checked<Manifest> {
  const value = parseJsonObject(text);
  if (!value) return invalid('is not a JSON object');
  const { title, version, minimumVersion, allowDowngrade, maximumVersion, parts, ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return invalid(`has the unknown member ${quote(unknown)}`);
  if (title !== UPDATE_TITLE) return invalid(`has the title ${quote(title)} instead of "${UPDATE_TITLE}"`);
  if (!isPackageVersion(version)) return invalid(`has the invalid version ${quote(version)}`);
  if (!isPackageVersion(minimumVersion))
    return invalid(`has the invalid minimumVersion ${quote(minimumVersion)}`);
  if (typeof allowDowngrade !== 'boolean') return invalid('has no allowDowngrade of true or false');
  const terms = parseMaximum(version, allowDowngrade, maximumVersion);
  if (!terms.ok) return terms;
  const checked = parseParts(parts);
  if (!checked.ok) return checked;
  return {
    ok: true,
    value: { title, version, minimumVersion, allowDowngrade, ...terms.value, parts: checked.value },
  };
}

function parseMaximum(
  version: string,
  allowDowngrade: boolean,
  value: unknown,
): Checked<Pick<Manifest, 'maximumVersion'>> {
  if (!allowDowngrade)
    return value === undefined
      ? { ok: true, value: {} }
      : invalid('has a maximumVersion without allowDowngrade');
  if (!isPackageVersion(value)) return invalid(`has the invalid maximumVersion ${quote(value)}`);
  if (comparePackageVersions(value, version) <= 0)
    return invalid(`has the maximumVersion ${quote(value)}, which is not newer than its version`);
  return { ok: true, value: { maximumVersion: value } };
}

function parseParts(value: unknown): Checked<readonly Part[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > PARTS_MAX)
    return invalid(`must have 1 to ${PARTS_MAX} parts`);
  const parts: Part[] = [];
  for (const [index, each] of value.entries()) {
    const part = isJsonObject(each) ? parsePart(each) : `is not an object`;
    if (typeof part === 'string') return invalid(`has a part ${index + 1} that ${part}`);
    if (parts.some(({ name }) => name === part.name))
      return invalid(`has two parts of the name ${quote(part.name)}`);
    if (parts.some(({ architecture }) => architecture === part.architecture))
      return invalid(`has two parts for the architecture ${part.architecture}`);
    parts.push(part);
  }
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  if (bytes > PARTS_BYTES_MAX) return invalid(`has parts of ${bytes} bytes, the limit is ${PARTS_BYTES_MAX}`);
  return { ok: true, value: parts };
}

/** A string: what is wrong. */
function parsePart(value: JsonObject): Part | string {
  const { name, package: packageName, architecture, bytes, sha256, ...others } = value;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) return `has the unknown member ${quote(unknown)}`;
  if (typeof name !== 'string' || !/^[a-z0-9][a-z0-9.+_~-]{0,99}$/.test(name))
    return `has the invalid name ${quote(name)}`;
  if (packageName !== UPDATE_TITLE) return `is of the package ${quote(packageName)}`;
  if (typeof architecture !== 'string' || !/^[a-z0-9][a-z0-9-]{0,31}$/.test(architecture))
    return `has the invalid architecture ${quote(architecture)}`;
  if (typeof bytes !== 'number' || !Number.isInteger(bytes) || bytes < 1 || bytes > PARTS_BYTES_MAX)
    return `has the invalid size ${quote(bytes)}`;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) return 'has no SHA-256';
  return { name, package: packageName, architecture, bytes, sha256 };
}

/** The part for this architecture, else the one for all. */
export function partFor({ parts }: Manifest, architecture: string): Checked<Part> {
  const part =
    parts.find((each) => each.architecture === architecture) ??
    parts.find((each) => each.architecture === 'all');
  if (part) return { ok: true, value: part };
  return {
    ok: false,
    problem: `the update has no package for the architecture ${architecture}: sign one that has`,
  };
}

/** Why the update must not replace the installed version; undefined if it may. */
export function versionProblem(manifest: Manifest, installed: string): string | undefined {
  const { version, minimumVersion, allowDowngrade, maximumVersion } = manifest;
  const order = comparePackageVersions(version, installed);
  if (order === 0) return `version ${version} is installed already: assign a newer one`;
  if (order < 0 && !allowDowngrade)
    return `version ${version} is older than the installed ${installed}: sign it with --allow-downgrade, if that is intended`;
  if (maximumVersion !== undefined && comparePackageVersions(installed, maximumVersion) > 0)
    return `version ${version} can replace version ${maximumVersion} or earlier, and ${installed} is installed: sign it with --maximum-version ${installed}, if that is intended`;
  if (comparePackageVersions(installed, minimumVersion) < 0)
    return `version ${version} can replace version ${minimumVersion} or later, and ${installed} is installed: update to ${minimumVersion} first`;
  return undefined;
}

function invalid(problem: string): { readonly ok: false; readonly problem: string } {
  return { ok: false, problem: `the manifest ${problem}: sign the update again with this version` };
}

/** Text of another origin, for a sentence. */
function quote(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  return `"${[...text.replace(/[^\x20-\x7e]/g, '?')].slice(0, 64).join('')}"`;
}
