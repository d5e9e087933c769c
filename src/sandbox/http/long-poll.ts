/**
 * A long poll: one listener, one response (contract section 8). Pending RPCs are sent one per poll; attribute
 * updates between two polls are lost. A poll ends with its own timeout (408), the asynchronous timeout of the
 * server (503), a deleted device (403) or a revoked token (408).
 */

import type { SandboxClock } from '../core/clock.ts';
import type { DeviceHandle, DeviceListener, SandboxCore } from '../core/model/types.ts';
import { empty, errorObject, json, type Reply, text } from './reply.ts';

export interface Poll {
  readonly feature: 'sharedAttributes' | 'rpc';
  readonly timeoutMs: number;
  /** The asynchronous timeout of the server; applies unless `timeoutMs` is shorter. */
  readonly asyncTimeoutMs: number;
  /** Aborts when the client disconnects. */
  readonly signal: AbortSignal;
}

export async function pollDevice(
  core: SandboxCore,
  device: DeviceHandle,
  poll: Poll,
  clock: SandboxClock,
): Promise<Reply> {
  const pollEnd = new AbortController();
  let reply: Reply | undefined;
  const answer = (first: Reply): void => {
    reply ??= first;
    pollEnd.abort();
  };
  const unsubscribe = core.subscribe(device, listenerFor(core, device, poll.feature, answer));
  const timeoutMs = Math.min(poll.timeoutMs, poll.asyncTimeoutMs);
  await clock.sleep(timeoutMs, AbortSignal.any([poll.signal, pollEnd.signal]));
  unsubscribe();
  if (reply !== undefined) return reply;
  return poll.timeoutMs < poll.asyncTimeoutMs ? empty(408) : asyncTimedOut(clock);
}

/** The server's response after its asynchronous timeout. */
export function asyncTimedOut(clock: SandboxClock): Reply {
  return errorObject(503, 'Asynchronous request timed out', clock.nowMs());
}

function listenerFor(
  core: SandboxCore,
  device: DeviceHandle,
  feature: Poll['feature'],
  answer: (reply: Reply) => void,
): DeviceListener {
  const ended: DeviceListener['ended'] = (reason) =>
    answer(reason === 'deleted' ? text(403, 'Device was deleted!') : empty(408));
  if (feature === 'sharedAttributes') {
    return { ended, sharedAttributes: (changed) => answer(json(200, changed)) };
  }
  return {
    ended,
    takesOneRpc: true,
    rpc: (command) => {
      const sent = (): void => core.rpcDelivered(device, command.id, true);
      answer({ ...json(200, command.json), sent });
    },
  };
}
