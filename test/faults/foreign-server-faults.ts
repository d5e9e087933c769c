/** Foreign HTTP servers that respond instead of ThingsBoard, or stand in front of it. */

import { once } from 'node:events';
import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { type Fault, httpUrl, type Place, toml, withToken } from './fault.ts';

const html: RequestListener = (_request, response) =>
  response.writeHead(200, { 'content-type': 'text/html' }).end('<html>Welcome to the hotel</html>');
const portal: RequestListener = (_request, response) =>
  response.writeHead(302, { location: 'http://portal.invalid/login' }).end();
const redirectLoop: RequestListener = ({ url = '/' }, response) =>
  response.writeHead(307, { location: url }).end();
const status = (code: number) => async (at: Place) =>
  toml(await httpUrl(at, (_request, response) => response.writeHead(code).end()));

/** Opens a TCP server that does not speak HTTP. Returns its URL. */
async function tcpUrl({ later }: Place, greeting: string): Promise<string> {
  const server = createServer((socket) => void socket.on('error', () => {}).end(greeting));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  later(() => server.close());
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
}

export const FOREIGN_SERVER_FAULTS: readonly Fault[] = [
  {
    name: 'HTML page instead of the device API',
    event: 'FL-CAPTIVE-PORTAL',
    message: 'response 200 with a web page',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, html)),
  },
  {
    name: 'captive portal',
    event: 'FL-CAPTIVE-PORTAL',
    message: 'portal.invalid',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, portal)),
  },
  {
    name: 'redirect loop',
    event: 'FL-REDIRECT-NOT-FOLLOWED',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, redirectLoop)),
  },
  {
    name: 'HTTP 404 of a foreign server',
    event: 'FL-UNEXPECTED-RESPONSE',
    message: 'response 404',
    doctor: 'HTTP path',
    make: status(404),
  },
  {
    name: 'log-in required by a proxy in front',
    event: 'FL-REQUEST-BLOCKED',
    message: 'requires a login',
    doctor: 'HTTP path',
    make: async (at) =>
      toml(
        await httpUrl(at, (_request, response) =>
          response.writeHead(401, { 'www-authenticate': 'Basic' }).end(),
        ),
      ),
  },
  {
    name: 'API gateway in front that rejects all requests',
    event: 'FL-REQUEST-BLOCKED',
    message: 'response 401 with a body',
    doctor: 'HTTP path',
    make: async (at) =>
      withToken(
        await httpUrl(at, (_request, response) =>
          response.writeHead(401, { 'content-type': 'application/json' }).end('{"message":"Unauthorized"}'),
        ),
      ),
  },
  {
    name: 'CDN in front that blocks this program',
    event: 'FL-REQUEST-BLOCKED',
    message: 'response 403 of cloudflare with error code 1010',
    doctor: 'HTTP path',
    make: async (at) =>
      withToken(
        await httpUrl(at, (_request, response) =>
          response
            .writeHead(403, { 'content-type': 'text/plain', server: 'cloudflare' })
            .end('error code: 1010'),
        ),
      ),
  },
  {
    name: 'port that does not speak HTTP',
    event: 'FL-UNEXPECTED-RESPONSE',
    message: 'not HTTP',
    doctor: 'HTTP path',
    make: async (at) => toml(await tcpUrl(at, 'SSH-2.0-OpenSSH_9.2\r\n')),
  },
  {
    name: 'connections that are closed at once',
    event: 'FL-CONNECTION-RESET',
    message: 'ECONNRESET',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, (request) => void request.socket.destroy())),
  },
  {
    name: 'TCP port closed',
    event: 'FL-PORT-CLOSED',
    doctor: 'HTTP path',
    same: 'the same cause, over TCP',
    make: async () => toml('http://127.0.0.1:9'),
  },
  {
    name: 'proxy stopped',
    event: 'FL-PROXY-UNREACHABLE',
    doctor: 'HTTP path',
    make: async () => toml('http://things.example.com', { server: 'proxy = "http://127.0.0.1:9"' }),
  },
  {
    name: 'proxy denies (407)',
    event: 'FL-PROXY-DENIED',
    doctor: 'HTTP path',
    make: async (at) => {
      const proxy = await httpUrl(at, (_request, response) =>
        response.writeHead(407, { 'proxy-authenticate': 'Basic' }).end(),
      );
      return toml('http://things.example.com', { server: `proxy = "${proxy}"` });
    },
  },
];
