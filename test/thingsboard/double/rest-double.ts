/**
 * A strict double of ThingsBoard's REST API, made from the recorded conversation (test/fixtures/thingsboard) and from the rules of
 * ThingsBoard 4.3.1.3: it refuses what the real server refused, with the same status, message and code, and more: unknown
 * members and unknown paths.
 */

import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Json, Refusal } from './refusal.ts';
import { Tenant } from './tenant.ts';

export interface DoubleUser {
  readonly name: string;
  readonly password: string;
  readonly authority: 'TENANT_ADMIN' | 'SYS_ADMIN' | 'CUSTOMER_USER';
  /** What the log-in answers instead of a token. */
  readonly login?: 'locked' | 'inactive' | 'expired' | 'two-factor';
}

export interface DoubleOptions {
  readonly version?: string;
  readonly edition?: 'CE' | 'PE';
  readonly users?: readonly DoubleUser[];
}

export interface LoggedRequest {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly body: unknown;
}

export const ADMIN: DoubleUser = {
  name: 'admin@example.com',
  password: 'correct horse',
  authority: 'TENANT_ADMIN',
};
export const API_KEY = 'tb_0123456789abcdef';
const JWT = (name: string): string => `e30.${Buffer.from(name).toString('base64url')}.c2ln`;

export class RestDouble implements AsyncDisposable {
  readonly tenant: Tenant;
  readonly requests: LoggedRequest[] = [];
  /** Called before a request is handled; its result is the answer, if there is one. */
  intercept: (method: string, path: string) => Refusal | undefined = () => undefined;
  /** Number of the request after which the connection is closed without an answer. */
  dropAfter = Number.POSITIVE_INFINITY;
  readonly #options: Required<DoubleOptions>;
  readonly #server = createServer((request, response) => void this.#handle(request, response));

  constructor(options: DoubleOptions = {}) {
    this.#options = { version: '4.3.1.3', edition: 'CE', users: [ADMIN], ...options };
    this.tenant = new Tenant(Number(this.#options.version.split('.')[1]) >= 3);
  }

  static async open(options: DoubleOptions = {}): Promise<RestDouble> {
    const double = new RestDouble(options);
    double.#server.listen(0, '127.0.0.1');
    await once(double.#server, 'listening');
    return double;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** The requests that changed something. */
  get changes(): readonly string[] {
    return this.requests
      .filter(({ method, path, status }) => method !== 'GET' && path !== '/api/auth/login' && status === 200)
      .map(({ method, path }) => `${method} ${path}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url: path = '' } = request;
    const text = await readText(request);
    if (this.requests.length >= this.dropAfter) {
      request.socket.destroy();
      return;
    }
    let status = 200;
    let answer: Json | undefined;
    try {
      const refusal = this.intercept(method, path);
      if (refusal) throw refusal;
      answer = this.answer(
        method,
        path,
        text === '' ? undefined : JSON.parse(text),
        request.headers['x-authorization'],
      );
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      ({ status } = error);
      answer = error.body;
    }
    this.requests.push({ method, path, status, body: text });
    const isText = typeof answer === 'string';
    response.writeHead(status, { 'Content-Type': isText ? 'text/html' : 'application/json' });
    response.end(answer === undefined ? '' : isText ? answer : JSON.stringify(answer));
  }

  /** The answer of the server; throws a Refusal. */
  answer(method: string, path: string, body: unknown, authorization: unknown): Json | undefined {
    if (method === 'POST' && path === '/api/auth/login') return this.#logIn(body);
    const user = this.#user(authorization);
    const [route = '', query = ''] = path.split('?');
    if (method === 'GET' && route === '/api/system/info') {
      const { version, edition } = this.#options;
      return { version, artifact: 'application', name: 'ThingsBoard', type: edition };
    }
    if (method === 'GET' && route === '/api/auth/user') return userJson(user);
    if (user.authority !== 'TENANT_ADMIN')
      throw new Refusal(403, "You don't have permission to perform this operation!", 20);
    return this.tenant.handle(method, route, new URLSearchParams(query), body);
  }

  #logIn(body: unknown): Json {
    const { username, password } = body as { username: string; password: string };
    const user = this.#options.users.find(({ name }) => name === username);
    if (user?.password !== password) throw new Refusal(401, 'Invalid username or password', 10);
    switch (user?.login) {
      case 'locked':
        throw new Refusal(401, 'User account is locked due to security policy', 10);
      case 'inactive':
        throw new Refusal(401, 'User account is not active', 10);
      case 'expired':
        throw new Refusal(401, 'User password expired!', 15, { resetToken: 'reset-token' });
      case 'two-factor':
        return { token: JWT(username), refreshToken: null, scope: 'PRE_VERIFICATION_TOKEN' };
      default:
        return { token: JWT(username), refreshToken: JWT(`refresh ${username}`) };
    }
  }

  #user(authorization: unknown): DoubleUser {
    const { users } = this.#options;
    const user = users.find(({ name }) => authorization === `Bearer ${JWT(name)}`);
    if (user) return user;
    const [first] = users;
    if (authorization === `ApiKey ${API_KEY}` && first) return first;
    throw new Refusal(401, 'Invalid username or password', 10);
  }
}

export function jwtOf(user: DoubleUser): string {
  return JWT(user.name);
}

function userJson({ name, authority }: DoubleUser): Json {
  return {
    id: { entityType: 'USER', id: 'a3f08f80-ec26-11f1-8dd6-d982e7bce672' },
    createdTime: 1,
    tenantId: { entityType: 'TENANT', id: 'a3341d50-ec26-11f1-8dd6-d982e7bce672' },
    customerId: { entityType: 'CUSTOMER', id: '13814000-1dd2-11b2-8080-808080808080' },
    email: name,
    authority,
    firstName: null,
    lastName: null,
    phone: null,
    version: 1,
    name,
    additionalInfo: null,
  };
}

async function readText(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
