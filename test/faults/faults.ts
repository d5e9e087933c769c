/** Faults, each brought about for real: a configuration, a server, a state directory; and the event that must name the cause. */

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { generate, parse } from 'coap-packet';
import type { EventId } from '../../src/core/events.ts';
import { openSandbox } from '../../src/sandbox/sandbox.ts';

export const SECRET = 'Secret+of/this=profile&8';
export const TOKEN = 'TokenNobodyKnows12345';

export interface Fault {
  readonly name: string;
  readonly event: EventId;
  /** Of an agent that cannot start; absent: it goes on. */
  readonly exit?: number;
  /** The check of the doctor that must find it; absent: it cannot be seen from there. */
  readonly doctor?: string;
  /** Why another fault has the same diagnosis. */
  readonly same?: string;
  /** Makes it so; gives the configuration. What is to be closed goes on the stack. */
  make(place: Place): Promise<string>;
}

export interface Place {
  readonly state: string;
  readonly later: (close: () => unknown) => void;
}

type Parts = Readonly<Record<string, string>>;

function toml(url: string, parts: Parts = {}): string {
  const { provisioning = `key = "k"\nsecret = "${SECRET}"`, device = 'name = "gw-fault"', more = '' } = parts;
  return `[server]\nurl = "${url}"\nspread = "0s"\n[provisioning]\n${provisioning}\n[device]\n${device}\n[telemetry]\ninterval = "1s"\n[clock]\ntrust = "system"\n${more}`;
}

async function sandboxUrl({ later }: Place, key = 'k', secret = SECRET, knobs = {}): Promise<string> {
  const sandbox = await openSandbox({ provisioning: { key, secret }, knobs });
  later(() => sandbox[Symbol.asyncDispose]());
  return `coap://127.0.0.1:${sandbox.coapPort}`;
}

/** A device made beforehand with credentials of another kind, and the profile that gives them out. */
async function otherCredentialsUrl({ later }: Place, wish: object): Promise<string> {
  const sandbox = await openSandbox({ provisioning: { key: 'k', secret: SECRET } });
  later(() => sandbox[Symbol.asyncDispose]());
  const asked = { deviceName: 'gw-fault', provisionDeviceKey: 'k', provisionDeviceSecret: SECRET };
  await sandbox.core.provision(JSON.stringify({ ...asked, ...wish }), 'http');
  sandbox.core.admin.clearProvisionState('gw-fault');
  sandbox.setKnobs({ strategy: 'pre-provisioned' });
  return `http://127.0.0.1:${sandbox.httpPort}`;
}

async function udpUrl({ later }: Place, answer?: (message: Buffer) => Buffer | undefined): Promise<string> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  socket.on('message', (message, { port }) => {
    const back = answer?.(message);
    if (back) socket.send(back, port);
  });
  const { port } = socket.address();
  later(() => socket.close());
  return `coap://127.0.0.1:${port}`;
}

async function httpUrl({ later }: Place, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => server.close().closeAllConnections());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const html: RequestListener = (_request, response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to the hotel</html>');
const portal: RequestListener = (_request, response) =>
  response.writeHead(302, { location: 'http://portal.invalid/login' }).end();
const coap404 = (message: Buffer) => {
  const { code, messageId, token } = parse(message);
  return code === '0.00'
    ? generate({ reset: true, code: '0.00', messageId })
    : generate({ ack: true, code: '4.04', messageId, token });
};
const NOWHERE = 'coap://127.0.0.1:9';
const RECORD = JSON.stringify({ version: 99, state: 'provisioned' });
const record = (content: string) => async (place: Place) => {
  await mkdir(place.state, { mode: 0o700 });
  for (const name of ['credentials.json', 'credentials.backup.json'])
    await writeFile(join(place.state, name), content, { mode: 0o600 });
  return toml(await sandboxUrl(place));
};

export const FAULTS: readonly Fault[] = [
  {
    name: 'wrong provisioning key',
    event: 'FL-NOT-FOUND',
    make: async (at) => toml(await sandboxUrl(at, 'other')),
  },
  {
    name: 'wrong provisioning secret',
    event: 'FL-NOT-FOUND',
    same: 'the server answers key and secret alike',
    make: async (at) => toml(await sandboxUrl(at, 'k', 'other')),
  },
  {
    name: 'provisioning disabled in the profile',
    event: 'FL-NOT-FOUND',
    same: 'the server answers as for a wrong key',
    make: async (at) => toml(await sandboxUrl(at, 'k', SECRET, { strategy: 'disabled' })),
  },
  {
    name: 'device not created beforehand',
    event: 'FL-DECLINED',
    make: async (at) => toml(await sandboxUrl(at, 'k', SECRET, { strategy: 'pre-provisioned' })),
  },
  {
    name: 'device with MQTT user and password, over HTTP',
    event: 'FL-WRONG-CREDENTIALS-TYPE',
    make: async (at) =>
      toml(await otherCredentialsUrl(at, { credentialsType: 'MQTT_BASIC', username: 'u', password: SECRET })),
  },
  {
    name: 'device with a certificate, over HTTP',
    event: 'FL-WRONG-CREDENTIALS-TYPE',
    same: 'what was seen names the type',
    make: async (at) =>
      toml(await otherCredentialsUrl(at, { credentialsType: 'X509_CERTIFICATE', hash: 'MIIB' })),
  },
  {
    name: 'token unknown to the server',
    event: 'FL-UNAUTHORIZED',
    doctor: 'token',
    make: async (at) => toml(await sandboxUrl(at), { device: `token = "${TOKEN}"` }),
  },
  { name: 'UDP port closed', event: 'FL-PORT-CLOSED', doctor: 'UDP path', make: async () => toml(NOWHERE) },
  {
    name: 'UDP dropped',
    event: 'FL-PROVISIONING-SLOW',
    doctor: 'UDP path',
    make: async (at) => toml(await udpUrl(at)),
  },
  {
    name: 'another CoAP server',
    event: 'FL-UNINTELLIGIBLE',
    doctor: 'UDP path',
    make: async (at) => toml(await udpUrl(at, coap404)),
  },
  {
    name: 'name of the server unknown',
    event: 'FL-NAME-NOT-FOUND',
    doctor: 'name resolution',
    make: async () => toml('coap://things.invalid'),
  },
  {
    name: 'HTML answer over HTTP',
    event: 'FL-CAPTIVE-PORTAL',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, html)),
  },
  {
    name: 'captive portal',
    event: 'FL-CAPTIVE-PORTAL',
    doctor: 'HTTP path',
    same: 'a portal answers with a page or sends to another host',
    make: async (at) => toml(await httpUrl(at, portal)),
  },
  {
    name: 'TCP port closed',
    event: 'FL-PORT-CLOSED',
    doctor: 'HTTP path',
    same: 'the same cause, over TCP',
    make: async () => toml('http://127.0.0.1:9'),
  },
  {
    name: 'TLS to a server without it',
    event: 'FL-TLS-FAILED',
    doctor: 'HTTPS path',
    make: async (at) => toml((await httpUrl(at, html)).replace('http:', 'https:')),
  },
  {
    name: 'rate limited',
    event: 'FL-OVERLOADED',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, (_request, response) => response.writeHead(429).end())),
  },
  {
    name: 'bad TOML',
    event: 'FL-CONFIG-INVALID',
    exit: 78,
    doctor: 'configuration',
    make: async () => '[server\n',
  },
  {
    name: 'unknown key',
    event: 'FL-CONFIG-INVALID',
    exit: 78,
    doctor: 'configuration',
    same: 'the line names the key',
    make: async () => toml(NOWHERE, { more: '[log]\nlevle = "info"\n' }),
  },
  {
    name: 'value out of bounds',
    event: 'FL-CONFIG-INVALID',
    exit: 78,
    doctor: 'configuration',
    same: 'the line names the value and its bound',
    make: async () => toml(NOWHERE, { more: '[log]\nlevel = "loud"\n' }),
  },
  {
    name: 'no server.url',
    event: 'FL-CONFIG-INVALID',
    exit: 78,
    doctor: 'configuration',
    same: 'the line names the key',
    make: async () => '[log]\nlevel = "info"\n',
  },
  {
    name: 'secret file missing',
    event: 'FL-CONFIG-INVALID',
    exit: 78,
    doctor: 'configuration',
    same: 'the line names the file',
    make: async () => toml(NOWHERE, { provisioning: 'key = "k"\nsecret-file = "/nowhere/secret"' }),
  },
  {
    name: 'no provisioning pair',
    event: 'FL-NO-PAIR-NO-TOKEN',
    exit: 78,
    doctor: 'provisioning',
    make: async () => toml(NOWHERE, { provisioning: '' }),
  },
  {
    name: 'state directory is a file',
    event: 'FL-STATE-UNUSABLE',
    exit: 75,
    make: async (at) => {
      await writeFile(at.state, '');
      return toml(NOWHERE);
    },
  },
  { name: 'both credential files torn', event: 'FL-STORE-FAILED', make: record('{"version":1,"sta') },
  {
    name: 'credentials of a later version',
    event: 'FL-STORE-FAILED',
    same: 'what was seen names the version',
    make: record(RECORD),
  },
];
