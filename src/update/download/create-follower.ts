/** Wires the agent's part of updates to the files of this host. */

import { readSmallText } from '../install/node-installation-disk.ts';
import { parseResult, resultFileIn, UPDATE_DIRECTORY } from '../install/run-files.ts';
import { readTrustedKeys } from '../trusted-keys.ts';
import { type FollowerPorts, type FollowerSettings, UpdateFollower } from './update-follower.ts';
import { UpdateFiles } from './update-record.ts';

const RESULT_BYTES_MAX = 64 * 1024;

export interface CreateFollowerPorts extends Omit<FollowerPorts, 'files' | 'keys' | 'result'> {
  /** The state directory of the agent. */
  readonly state: string;
}

export function createFollower(
  { state, ...ports }: CreateFollowerPorts,
  settings: FollowerSettings,
): UpdateFollower {
  return new UpdateFollower(
    {
      ...ports,
      files: new UpdateFiles(state),
      keys: () => readTrustedKeys().keys,
      result: () => parseResult(readSmallText(resultFileIn(UPDATE_DIRECTORY), RESULT_BYTES_MAX)),
    },
    settings,
  );
}
