/**
 * The number of running containers, from the socket of Docker or Podman: one GET, bounded in time and size.
 *
 * Only the first socket that exists and can be opened counts: an engine that hangs must not turn the number
 * into that of another. Access to a socket is equivalent to root, so the service has none unless its operator
 * grants it. Never rejects.
 */

import { access, constants } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { ChildAbortController } from '../core/async/abort.ts';
import type { Clock } from '../core/ports/clock.ts';
import { PolledNumber } from './process/polled-number.ts';

const DEADLINE_MS = 2000;
/** One to two KiB a container. */
const RESPONSE_BYTES_MAX = 1_000_000;
const SOCKETS = ['/var/run/docker.sock', '/run/podman/podman.sock'];
/** The running ones (Docker Engine API, ContainerList). Podman has the same path. */
const LIST_PATH = '/containers/json';

export interface ContainersOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Set by tests only. */
  readonly sockets?: readonly string[];
}

/** Reads the number of running containers. */
export function pollContainers(options: ContainersOptions): PolledNumber {
  return new PolledNumber((signal) => countRunning(options, signal), options.clock);
}

async function countRunning(options: ContainersOptions, signal: AbortSignal): Promise<number | undefined> {
  const { clock, sockets = SOCKETS } = options;
  const socketPath = await findSocket(sockets);
  if (socketPath === undefined) return undefined;
  using deadline = new ChildAbortController(signal);
  void clock.sleep(DEADLINE_MS, deadline.signal).then(() => deadline.abort());
  try {
    return countEntries(await fetchList(socketPath, deadline.signal));
  } catch {
    return undefined;
  } finally {
    deadline.abort();
  }
}

async function findSocket(sockets: readonly string[]): Promise<string | undefined> {
  for (const path of sockets) {
    try {
      // connect(2) requires write permission.
      await access(path, constants.W_OK);
      return path;
    } catch {
      // It does not exist, or the agent may not open it.
    }
  }
  return undefined;
}

/** Rejects if the request ends before its response is complete. */
async function fetchList(socketPath: string, signal: AbortSignal): Promise<string> {
  // Costs 6 MiB, so it is loaded only if there is a socket.
  const { request } = await import('node:http');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({ socketPath, path: LIST_PATH, agent: false, signal });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.on('close', () => reject(new Error('closed without a response')));
    outgoing.end();
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop in any way ends the connection.
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (response.statusCode !== 200 || bytes > RESPONSE_BYTES_MAX) throw new Error('unexpected response');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Undefined if the text is not a list of containers. An entry that is none is not counted. */
function countEntries(text: string): number | undefined {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) return undefined;
  const count = list.filter(isContainer).length;
  return count === 0 && list.length > 0 ? undefined : count;
}

function isContainer(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'Id' in entry && typeof entry.Id === 'string';
}
