/** What a fault is, and with what faults are made: configurations, servers of somebody else, programs around the agent. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate, parse } from 'coap-packet';
import type { EventId } from '../../src/core/events/catalogue.ts';
import type { Knobs } from '../../src/sandbox/core/model/types.ts';
import { openSandbox, type Sandbox } from '../../src/sandbox/sandbox.ts';
import type { AgentProcess } from '../app/agent-process.ts';
import type { Need } from './needs.ts';

export const SECRET = 'Secret+of/this=profile&8';
export const TOKEN = 'TokenNobodyKnows12345';
export const NAME = 'gw-fault';

export interface Fault {
  readonly name: string;
  /** The event of the journal and of status, whose sentence has the cause and the remedy. */
  readonly event: EventId;
  /** What is found in the same line, and in status, and tells it from other faults with this event. */
  readonly message?: string;
  /** Of an agent that cannot start; absent: it goes on. */
  readonly exit?: 75 | 78;
  /** The agent is online in spite of it, and status exits 0. */
  readonly online?: true;
  /** The check of the doctor that must find it. */
  readonly doctor?: string;
  /** What that check must say. */
  readonly doctorText?: string;
  /** Why another fault has the same diagnosis. */
  readonly same?: string;
  /** It waits for somebody's patience to end, and costs no time of the processor. */
  readonly isSlow?: true;
  /** Skipped, with the reason, where the machine has none. */
  readonly needs?: Need;
  /** Makes it so; gives the configuration. What is to be closed goes on the stack. */
  make(place: Place): Promise<string | Broken>;
}

export interface Broken {
  readonly config: string;
  /** The words of a program that runs the agent and the doctor in its own way. */
  readonly within?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Breaks what worked. */
  meanwhile?(agent: AgentProcess): PromiseLike<void>;
}

export interface Place {
  /** A directory of the fault's own, in which are the others. */
  readonly path: string;
  readonly state: string;
  readonly runtime: string;
  readonly later: (close: () => unknown) => void;
}

interface FaultParts {
  readonly server?: string;
  readonly provisioning?: string;
  readonly device?: string;
  readonly clock?: string;
  readonly more?: string;
}

export function toml(url: string, parts: FaultParts = {}): string {
  const { server = '', provisioning = `key = "k"\nsecret = "${SECRET}"`, more = '' } = parts;
  const { device = `name = "${NAME}"`, clock = 'trust = "system"' } = parts;
  return `[server]\nurl = "${url}"\nspread = "0s"\n${server}\n[provisioning]\n${provisioning}\n[device]\n${device}\n[telemetry]\ninterval = "1s"\n[clock]\n${clock}\n${more}\n`;
}

/** The same for a gateway that has a token already. */
export function withToken(url: string, parts: FaultParts = {}): string {
  return toml(url, { device: `token = "${TOKEN}"\nname = "${NAME}"`, provisioning: '', ...parts });
}

export interface FaultOptions {
  readonly key?: string;
  readonly secret?: string;
  readonly knobs?: Partial<Knobs>;
}

export async function sandboxAt({ later }: Place, { key = 'k', secret = SECRET, knobs }: FaultOptions = {}) {
  const sandbox = await openSandbox({ provisioning: { key, secret }, ...(knobs && { knobs }) });
  later(() => sandbox[Symbol.asyncDispose]());
  return sandbox;
}

export const coapOf = ({ coapPort }: Sandbox) => `coap://127.0.0.1:${coapPort}`;
export const httpOf = ({ httpPort }: Sandbox) => `http://127.0.0.1:${httpPort}`;

/** A healthy server that knows TOKEN. */
export async function healthyAt(place: Place): Promise<Sandbox> {
  const sandbox = await sandboxAt(place);
  sandbox.core.admin.createDevice({ name: NAME, token: TOKEN });
  return sandbox;
}

/** Somebody on UDP. */
export async function udpUrl(
  { later }: Place,
  answer?: (message: Buffer) => Buffer | undefined,
): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (message, { port }) => {
    const restored = answer?.(message);
    if (restored) socket.send(restored, port);
  });
  const { port } = socket.address();
  later(() => socket.close());
  return `coap://127.0.0.1:${port}`;
}

/** Somebody on HTTP. */
export async function httpUrl({ later }: Place, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that answers every request, and every ping by a reset. */
export const coapCode = (code: string) => (message: Buffer) => {
  const { code: request, messageId, token } = parse(message);
  return request === '0.00'
    ? generate({ reset: true, code: '0.00', messageId })
    : generate({ ack: true, code, messageId, ...(code !== '0.00' && { token }) });
};

/** A port that is closed: that of the service "discard", which nobody runs any more. */
export const UNREACHABLE_URL = 'coap://127.0.0.1:9';

/** Writes a credential file, its backup, or both. */
export async function stored(
  place: Place,
  content: string,
  names: readonly string[] = ['credentials', 'credentials.backup'],
): Promise<void> {
  await mkdir(place.state, { recursive: true, mode: 0o700 });
  for (const name of names) await writeFile(join(place.state, `${name}.json`), content, { mode: 0o600 });
}

export function record(server: string, more: Readonly<Record<string, unknown>> = {}): string {
  return JSON.stringify({
    version: 1,
    state: 'provisioned',
    server,
    deviceName: NAME,
    sinceMs: 1_700_000_000_000,
    token: TOKEN,
    ...more,
  });
}
