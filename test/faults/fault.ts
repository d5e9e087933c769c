/**
 * The description of a fault, and the parts of faults: configurations, foreign servers, programs around the
 * agent.
 */

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
  /** The event in the log and in the status; its sentence has cause and remedy. */
  readonly event: EventId;
  /** Text in the same line and in the status that distinguishes this fault from others with the event. */
  readonly message?: string;
  /** The exit code of an agent that cannot start; absent: the agent keeps running. */
  readonly exit?: 75 | 78;
  /** The agent is online nevertheless, and status exits with 0. */
  readonly online?: true;
  /** Five other events follow within seconds, so that the status has only the count of this one. */
  readonly isEarly?: boolean;
  /** The check of the doctor that must fail. */
  readonly doctor?: string;
  /** Text that the check must report. */
  readonly doctorText?: string;
  /** Why another fault has the same diagnosis. */
  readonly same?: string;
  /** It mostly waits for a time-out and needs no processor. */
  readonly isSlow?: true;
  /** Skipped with the reason if the machine does not have it. */
  readonly needs?: Need;
  /** Causes the fault and returns the configuration. Resources to close go to `place.later`. */
  make(place: Place): Promise<string | FaultSetup>;
}

export interface FaultSetup {
  readonly config: string;
  /** The command line of a program that runs the agent and the doctor. */
  readonly within?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** Causes the fault after the agent is online. */
  meanwhile?(agent: AgentProcess): PromiseLike<void>;
}

export interface Place {
  /** A directory for this fault, which contains the others. */
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

/** The same for a gateway with a configured token. */
export function withToken(url: string, parts: FaultParts = {}): string {
  return toml(url, { device: `token = "${TOKEN}"\nname = "${NAME}"`, provisioning: '', ...parts });
}

export interface FaultOptions {
  readonly key?: string;
  readonly secret?: string;
  readonly knobs?: Partial<Knobs>;
}

export async function openSandboxFor(
  { later }: Place,
  { key = 'k', secret = SECRET, knobs }: FaultOptions = {},
) {
  const sandbox = await openSandbox({ provisioning: { key, secret }, ...(knobs && { knobs }) });
  later(() => sandbox[Symbol.asyncDispose]());
  return sandbox;
}

export const coapOf = ({ coapPort }: Sandbox) => `coap://127.0.0.1:${coapPort}`;
export const httpOf = ({ httpPort }: Sandbox) => `http://127.0.0.1:${httpPort}`;

/** A healthy server that knows TOKEN. */
export async function openHealthyServer(place: Place): Promise<Sandbox> {
  const sandbox = await openSandboxFor(place);
  sandbox.core.admin.createDevice({ name: NAME, token: TOKEN });
  return sandbox;
}

/** Opens a UDP peer that answers with `answer`. Returns its URL. */
export async function udpUrl(
  { later }: Place,
  answer?: (message: Buffer) => Buffer | undefined,
): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (message, { port }) => {
    const response = answer?.(message);
    if (response) socket.send(response, port);
  });
  const { port } = socket.address();
  later(() => socket.close());
  return `coap://127.0.0.1:${port}`;
}

/** Opens a foreign HTTP server. Returns its URL. */
export async function httpUrl({ later }: Place, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Answers every request with the code, and every ping with a reset. */
export const coapCode = (code: string) => (message: Buffer) => {
  const { code: request, messageId, token } = parse(message);
  return request === '0.00'
    ? generate({ reset: true, code: '0.00', messageId })
    : generate({ ack: true, code, messageId, ...(code !== '0.00' && { token }) });
};

/** A closed port: that of the obsolete service "discard". */
export const UNREACHABLE_URL = 'coap://127.0.0.1:9';

/** Runs in a mount namespace with the mounts of `lines`; `$S` is the state directory. */
export const withMounts = ({ state }: Place, ...lines: readonly string[]): readonly string[] => [
  'unshare',
  '-m',
  'sh',
  '-ec',
  [`S=${state}`, ...lines, 'exec "$0" "$@"'].join('\n'),
];

/** Writes a credential file, its backup, or both. */
export async function writeRecord(
  place: Place,
  content: string,
  names: readonly string[] = ['credentials', 'credentials.backup'],
): Promise<void> {
  await mkdir(place.state, { recursive: true, mode: 0o700 });
  for (const name of names) await writeFile(join(place.state, `${name}.json`), content, { mode: 0o600 });
}

export function recordText(server: string, more: Readonly<Record<string, unknown>> = {}): string {
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
