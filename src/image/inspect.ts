/**
 * Checks whether a system or its mounted image is safe to clone, and reports all problems. Changes nothing.
 *
 * Checks the state directory by both names, because that of a dynamic user is private and linked. The caller checks the
 * configuration.
 */

import { existsSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describeError } from './disk.ts';
import { NOTE_NAME } from './error-note.ts';
import { CLEAR_MACHINE_ID, readMachineId } from './host-traces.ts';
import { findLeftovers } from './leftovers.ts';
import { locateInImage, readLink } from './locate.ts';
import { SERVICE } from './systemctl.ts';

export interface InspectRequest {
  /** `/`, or the mount point of an image. */
  readonly root: string;
  /** State directories below the root. */
  readonly states: readonly string[];
  /** Possible import files on the boot partition. */
  readonly bootFiles: readonly string[];
  /** Problems of the configuration, in sentences. */
  readonly configuration: readonly string[];
}

/** The problems in sentences. */
export function inspectImage({ root, states, bootFiles, configuration }: InspectRequest): readonly string[] {
  return [
    ...statesByPlace(root, states).flatMap(([place, state]) => checkState(place, state)),
    ...configuration,
    ...checkService(root),
    ...checkMachineId(root),
    ...bootFiles.flatMap((file) => checkBootFile(root, file)),
  ];
}

/** Each directory once, under its first name: one of the two can be a link to the other. */
function statesByPlace(root: string, states: readonly string[]): readonly (readonly [string, string])[] {
  return [...new Map(states.toReversed().map((state) => [locateInImage(root, state), state]))].reverse();
}

function checkState(place: string, state: string): readonly string[] {
  try {
    const leftovers = findLeftovers(place);
    if (leftovers === undefined) return [];
    const { credentials, spool, settings } = leftovers;
    return [
      ...credentials.map(
        (name) => `${join(state, name)}: credentials; every clone would use or archive them`,
      ),
      ...spool.map(
        (name) => `${join(state, name)}: queued readings of this gateway; every clone would send them`,
      ),
      ...settings.map(
        (name) =>
          `${join(state, name)}: settings or an update that the server made for this gateway; a clone may use them`,
      ),
    ];
  } catch (error) {
    return [`${state} cannot be read: ${describeError(error)}`];
  }
}

function checkService(root: string): readonly string[] {
  const units = (name: string) => locateInImage(root, join('/etc/systemd/system', name));
  if (readLink(join(units('.'), SERVICE)) === '/dev/null') {
    return [`${SERVICE} is masked: no clone would start it; run: systemctl unmask ${SERVICE}`];
  }
  let wantsDirectories: readonly string[] = [];
  try {
    wantsDirectories = readdirSync(units('.')).filter((name) => /\.(wants|requires)$/.test(name));
  } catch {
    // Without the directory no unit is enabled.
  }
  const isEnabled = wantsDirectories.some((name) => readLink(join(units(name), SERVICE)) !== undefined);
  return isEnabled
    ? []
    : [`${SERVICE} is not enabled: no clone would start it; run: systemctl enable ${SERVICE}`];
}

function checkMachineId(root: string): readonly string[] {
  if (readMachineId(root) === undefined) return [];
  return [`/etc/machine-id is not empty: every clone would have the same ID; run: ${CLEAR_MACHINE_ID}`];
}

function checkBootFile(root: string, file: string): readonly string[] {
  const note = join(dirname(file), NOTE_NAME);
  const problems: string[] = [];
  if (existsSync(locateInImage(root, file))) {
    problems.push(
      `${file} is still on the boot partition, where anyone with a card reader can read its secret; run: firstlight import`,
    );
  }
  if (existsSync(locateInImage(root, note))) problems.push(`${note} reports a rejected import`);
  return problems;
}
