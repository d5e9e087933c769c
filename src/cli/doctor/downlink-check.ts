/** Checks the downlink as the status of the running agent reports it: subscriptions to shared attributes and commands. */

import { EVENTS, splitSentence } from '../../core/events/catalogue.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import { type Check, fail, pass, skip } from '../../doctor/check.ts';
import type { StatusJson } from '../status/json.ts';

export function downlinkCheck({ running, downlink }: Pick<StatusJson, 'running' | 'downlink'>): Check {
  return {
    name: 'downlink',
    async run() {
      if (!running) return skip('the agent is not running');
      if (downlink === null || downlink.state === 'off')
        return skip('off: the agent listens to neither shared attributes nor commands');
      const { state, stateForS, lastHeardAgoS, detail } = downlink;
      const duration = formatDuration(stateForS * 1000);
      const heard = lastHeardAgoS === null ? '' : `, last heard ${formatDuration(lastHeardAgoS * 1000)} ago`;
      if (state === 'waiting') return skip(`waiting for accepted telemetry for ${duration}${heard}`);
      if (state === 'listening') return pass(`listening for ${duration}${heard}`);
      const { remedy } = splitSentence(EVENTS['FL-DOWNLINK-FAILED'].sentence);
      return fail(
        `no subscription for ${duration}${heard}${detail === null ? '' : ` (${detail})`}`,
        'the gateway posts telemetry, but shared attributes and commands of the server do not reach it',
        remedy,
      );
    },
  };
}
