/**
 * How many containers run, asked of Docker or Podman over its unix socket every five minutes beside the sampling, and known in between.
 *
 * Asked is the first socket that is there and may be opened, and no other: one that hangs for a while must not turn the number into
 * another engine's. Whoever may open it is root, as he may start a container that is; so the service may not, unless its operator says
 * so (README). The question is one GET that changes nothing, with a deadline and a bound of bytes; what is no list of containers is no
 * number. Node's HTTP, 6 MiB, is loaded when there is a socket to be asked. Never rejects.
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
/** Those that run; Podman has it, too, below the same path (Docker Engine API, ContainerList). */
const LIST_PATH = '/containers/json';

export interface ContainersOptions {
  readonly clock: Pick<Clock, 'sleep'>;
  /** Given by tests. */
  readonly sockets?: readonly string[];
}

/** How many run. */
export function runningContainers(options: ContainersOptions): PolledNumber {
  return new PolledNumber((signal) => countRunning(options, signal), options.clock);
}

async function countRunning(options: ContainersOptions, signal: AbortSignal): Promise<number | undefined> {
  const { clock, sockets = SOCKETS } = options;
  const socketPath = await firstOpenable(sockets);
  if (socketPath === undefined) return undefined;
  using deadline = new ChildAbortController(signal);
  void clock.sleep(DEADLINE_MS, deadline.signal).then(() => deadline.abort());
  try {
    return lengthOf(await bodyFrom(socketPath, deadline.signal));
  } catch {
    return undefined;
  } finally {
    deadline.abort();
  }
}

async function firstOpenable(sockets: readonly string[]): Promise<string | undefined> {
  for (const path of sockets) {
    try {
      // Writing is what connect(2) asks for.
      await access(path, constants.W_OK);
      return path;
    } catch {
      // Not there, or not for us.
    }
  }
  return undefined;
}

/** Rejects with whatever ends the request before its answer is whole. */
async function bodyFrom(socketPath: string, signal: AbortSignal): Promise<string> {
  const { request } = await import('node:http');
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const outgoing = request({ socketPath, path: LIST_PATH, agent: false, signal });
    outgoing.on('response', resolve);
    outgoing.on('error', reject);
    outgoing.on('close', () => reject(new Error('closed without an answer')));
    outgoing.end();
  });
  const parts: Buffer[] = [];
  let bytes = 0;
  // Leaving the loop, by whatever way, ends the connection.
  for await (const part of response as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (response.statusCode !== 200 || bytes > RESPONSE_BYTES_MAX)
      throw new Error('not the answer that was asked for');
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** Of a list of containers; anything else is no number. */
function lengthOf(text: string): number | undefined {
  const list: unknown = JSON.parse(text);
  return Array.isArray(list) && list.every(isContainer) ? list.length : undefined;
}

function isContainer(entry: unknown): boolean {
  return typeof entry === 'object' && entry !== null && 'Id' in entry && typeof entry.Id === 'string';
}
