/**
 * Is a system, or the mounted image of one, safe to clone? Everything that is wrong with it, at once; nothing is changed.
 *
 * Looks at the state directory by both of its names, since a dynamic user's is private and linked to. Whether the configuration
 * would work is asked of the loader, which lives elsewhere.
 */

import { existsSync, lstatSync, readdirSync, readlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeError } from './disk.ts';
import { NOTE_NAME } from './error-note.ts';
import { CLEAR_MACHINE_ID, machineId } from './host-traces.ts';
import { findLeftovers } from './leftovers.ts';
import { SERVICE } from './systemctl.ts';

export interface InspectRequest {
  /** `/`, or where an image is mounted. */
  readonly root: string;
  /** State directories below the root. */
  readonly states: readonly string[];
  /** Files on the boot partition that would be imported. */
  readonly bootFiles: readonly string[];
  /** What is wrong with the configuration, in sentences. */
  readonly configuration: readonly string[];
}

/** Sentences; none when it is clean. */
export function inspect({ root, states, bootFiles, configuration }: InspectRequest): readonly string[] {
  return [
    ...states.flatMap((state) => stateProblems(root, state)),
    ...configuration,
    ...serviceProblems(root),
    ...machineIdProblems(root),
    ...bootFiles.flatMap((file) => bootProblems(root, file)),
  ];
}

function stateProblems(root: string, state: string): readonly string[] {
  const path = join(root, state);
  // The link of a dynamic user's directory: where it points to is looked at by its own name.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink()) return [];
  try {
    const leftovers = findLeftovers(path);
    if (leftovers === undefined) return [];
    const { credentials, spool } = leftovers;
    return [
      ...credentials.map(
        (name) =>
          `${join(state, name)}: credentials; every clone would take them for its own or set them aside`,
      ),
      ...spool.map(
        (name) => `${join(state, name)}: readings of this gateway, which every clone would deliver`,
      ),
    ];
  } catch (error) {
    return [`${state} cannot be looked into: ${describeError(error)}`];
  }
}

function serviceProblems(root: string): readonly string[] {
  const units = join(root, '/etc/systemd/system');
  if (linkTarget(join(units, SERVICE)) === '/dev/null') {
    return [`${SERVICE} is masked: no clone would start it; run: systemctl unmask ${SERVICE}`];
  }
  let wantsDirectories: readonly string[] = [];
  try {
    wantsDirectories = readdirSync(units).filter((name) => /\.(wants|requires)$/.test(name));
  } catch {
    // No directory, nothing enabled.
  }
  const isEnabled = wantsDirectories.some((name) => linkTarget(join(units, name, SERVICE)) !== undefined);
  return isEnabled
    ? []
    : [`${SERVICE} is not enabled: no clone would start it; run: systemctl enable ${SERVICE}`];
}

function machineIdProblems(root: string): readonly string[] {
  if (machineId(root) === undefined) return [];
  return [`/etc/machine-id is not empty: every clone would be the same machine; run: ${CLEAR_MACHINE_ID}`];
}

function bootProblems(root: string, file: string): readonly string[] {
  const note = join(dirname(file), NOTE_NAME);
  const problems: string[] = [];
  if (existsSync(join(root, file))) {
    problems.push(
      `${file} is still on the boot partition, where everybody with a card reader can read its secret; run: firstlight import`,
    );
  }
  if (existsSync(join(root, note))) problems.push(`${note} tells of an import that was refused`);
  return problems;
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
