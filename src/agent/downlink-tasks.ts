/** The loop that listens to the server, and beside it the execution of commands and the download of updates. */

import type { Task } from '../core/async/tasks.ts';
import type { SendReply } from '../core/downlink/command-dispatcher.ts';
import type { Connection } from '../core/downlink/connection.ts';
import { type DownlinkPorts, runDownlink } from '../core/downlink/downlink-loop.ts';
import type { DownlinkStatus } from '../core/downlink/downlink-status.ts';
import { logEvent } from '../core/events/catalogue.ts';
import type { Result } from '../core/failures/failure.ts';
import { restartIfStalled } from '../core/health/restart-stalled.ts';
import type { Secret } from '../core/model/secret.ts';
import type { DownlinkListener, Subscriptions } from '../core/ports/downlink.ts';
import type { Transport } from '../core/ports/transport.ts';

/** What becomes of what the server sends. */
export interface DownlinkHandlers {
  readonly subscriptions: Subscriptions;
  readonly listener: Pick<DownlinkListener, 'onAttributes' | 'onCommand'>;
  /** Executes commands and replies with `send` until the signal aborts. Absent: there are none. */
  readonly serveCommands?: ((send: SendReply, signal: AbortSignal) => Promise<void>) | undefined;
  /** Follows the software that the server assigns, until the signal aborts. Absent: updates are off. */
  readonly runUpdates?: ((server: SoftwareServer, signal: AbortSignal) => Promise<void>) | undefined;
}

/** The server, as updates use it; `connected` resolves with the token while the session delivers. */
export interface SoftwareServer extends Pick<Transport, 'postTelemetry' | 'downloadChunk'> {
  connected(signal: AbortSignal): Promise<Secret | undefined>;
}

export interface DownlinkTaskPorts extends Pick<DownlinkPorts, 'clock' | 'random' | 'log'> {
  readonly transport: Transport;
}

/** Tasks that end when the signal aborts. */
export function downlinkTasks(
  { clock, random, log, transport }: DownlinkTaskPorts,
  { subscriptions, listener, serveCommands, runUpdates }: DownlinkHandlers,
  connection: Connection,
  status: DownlinkStatus,
): readonly Task[] {
  const loop = { clock, random, log, transport, connection, listener, status };
  const onStalled = (activity: string) => {
    logEvent(log, 'FL-DOWNLINK-STALLED', { activity });
    status.onFailed({ reason: 'aborted', detail: `${activity}: no sign of life, started again` });
  };
  const listen: Task = (signal) =>
    restartIfStalled(
      (heartbeat, stop) => runDownlink({ ...loop, heartbeat }, subscriptions, stop),
      { clock, onStalled },
      signal,
    );
  const send: SendReply = async (id, body, signal) => {
    const { token } = connection;
    return token ? transport.reply(token, id, body, signal) : OFFLINE;
  };
  const server: SoftwareServer = {
    connected: (signal) => connection.connected(signal),
    postTelemetry: (token, body, signal) => transport.postTelemetry(token, body, signal),
    downloadChunk: (token, chunk, signal) => transport.downloadChunk(token, chunk, signal),
  };
  return [
    listen,
    ...(serveCommands ? [(signal: AbortSignal) => serveCommands(send, signal)] : []),
    ...(runUpdates ? [(signal: AbortSignal) => runUpdates(server, signal)] : []),
  ];
}

const OFFLINE: Result<void> = {
  ok: false,
  failure: { reason: 'server-timeout', detail: 'the agent is offline' },
};
