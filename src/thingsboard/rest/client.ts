/**
 * A session with ThingsBoard's REST API: log-in, then JSON requests. Resolves with the JSON of a success; every other
 * answer is a RestError. Written for ThingsBoard 4.0 to 4.3 (Swagger UI of the server: /swagger-ui/).
 */

import { isJsonObject, type JsonObject, parseJsonObject } from '../../core/model/json-object.ts';
import { Secret } from '../../core/model/secret.ts';
import type { RestExchange, RestRequest, RestResponse } from './exchange.ts';
import { numberOf, textOf } from './json-values.ts';
import {
  loginError,
  networkError,
  oneLine,
  RestError,
  type ServerMessage,
  statusError,
} from './rest-error.ts';

/** How a user proves who they are. */
export type RestCredentials =
  | { readonly type: 'password'; readonly user: string; readonly password: Secret }
  /** An API key (ThingsBoard 4.3 and later) or the JWT of a session. */
  | { readonly type: 'token'; readonly token: Secret };

/** `what` continues the sentence "ThingsBoard refuses …". */
export interface Call extends Pick<RestRequest, 'method' | 'path' | 'body'> {
  readonly what: string;
}

export class RestClient {
  readonly #exchange: RestExchange;
  readonly #signal: AbortSignal;
  readonly #authorization: Secret;

  private constructor(exchange: RestExchange, authorization: Secret, signal: AbortSignal) {
    this.#exchange = exchange;
    this.#authorization = authorization;
    this.#signal = signal;
  }

  /** Logs in. Rejects with a RestError. */
  static async open(
    exchange: RestExchange,
    credentials: RestCredentials,
    signal: AbortSignal,
  ): Promise<RestClient> {
    const authorization =
      credentials.type === 'token'
        ? authorizationOf(credentials.token)
        : await logIn(exchange, credentials, signal);
    return new RestClient(exchange, authorization, signal);
  }

  /** The JSON object of the answer; empty for an answer without a body. */
  async object(call: Call): Promise<JsonObject> {
    const json = await this.#json(call);
    return isJsonObject(json) ? json : {};
  }

  /** The objects of an answer that is a list. */
  async list(call: Call): Promise<readonly JsonObject[]> {
    const json = await this.#json(call);
    return Array.isArray(json) ? json.filter(isJsonObject) : [];
  }

  /** The object, or undefined if the server does not have it. */
  async find(call: Call): Promise<JsonObject | undefined> {
    const response = await send(
      this.#exchange,
      { ...call, authorization: this.#authorization },
      this.#signal,
    );
    if (response.status === 404) return undefined;
    const json = bodyOf(response, call.what);
    return isJsonObject(json) ? json : undefined;
  }

  async #json(call: Call): Promise<unknown> {
    const request = { ...call, authorization: this.#authorization };
    return bodyOf(await send(this.#exchange, request, this.#signal), call.what);
  }
}

/** `header.payload.signature`, each Base64url (RFC 7519 section 3). An API key has no dots. */
const JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** The value of X-Authorization for a token. */
function authorizationOf(token: Secret): Secret {
  const text = token.reveal();
  return new Secret(JWT.test(text) ? `Bearer ${text}` : `ApiKey ${text}`);
}

async function logIn(
  exchange: RestExchange,
  { user, password }: Extract<RestCredentials, { type: 'password' }>,
  signal: AbortSignal,
): Promise<Secret> {
  const body = { username: user, password: password.reveal() };
  const response = await send(exchange, { method: 'POST', path: '/api/auth/login', body }, signal);
  if (response.status !== 200) {
    if (!isJsonError(response)) throw notThingsBoard(response);
    throw loginError(response.status, messageOf(response));
  }
  const answer = parseJsonObject(response.body) ?? {};
  if (textOf(answer, 'scope') !== '')
    throw new RestError(
      'login-failed',
      'this user needs two-factor authentication: create an API key in the account of the user and give it with --token-file',
    );
  const token = textOf(answer, 'token');
  if (token === '') throw notThingsBoard(response);
  return new Secret(`Bearer ${token}`);
}

async function send(
  exchange: RestExchange,
  request: RestRequest,
  signal: AbortSignal,
): Promise<RestResponse> {
  const result = await exchange(request, signal);
  if (!result.ok) throw networkError(result.failure);
  if (result.value.status >= 300 && result.value.status < 400) {
    const target = oneLine(result.value.location ?? 'another address');
    throw new RestError('not-thingsboard', `the server redirects to ${target}: give that address with --url`);
  }
  return result.value;
}

function bodyOf(response: RestResponse, what: string): unknown {
  if (response.status === 200) {
    if (response.body === '') return undefined;
    try {
      return JSON.parse(response.body);
    } catch {
      throw notThingsBoard(response);
    }
  }
  const isNamed = isJsonError(response) || response.body === '' || response.status >= 500;
  throw isNamed ? statusError(response.status, messageOf(response), what) : notThingsBoard(response);
}

/** ThingsBoard's errors are JSON objects with a message. */
function isJsonError({ body }: RestResponse): boolean {
  return typeof parseJsonObject(body)?.['message'] === 'string';
}

function messageOf({ body }: RestResponse): ServerMessage {
  const answer = parseJsonObject(body) ?? {};
  const errorCode = numberOf(answer, 'errorCode');
  return { text: oneLine(textOf(answer, 'message')), errorCode: Number.isNaN(errorCode) ? 0 : errorCode };
}

function notThingsBoard({ status, contentType }: RestResponse): RestError {
  const what = contentType.includes('html') ? 'a web page' : 'something else than JSON';
  return new RestError(
    'not-thingsboard',
    `the server answers ${what} (status ${status}): check that --url is the web interface of ThingsBoard, not a page or a device API`,
  );
}
