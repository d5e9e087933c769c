/**
 * ThingsBoard's provisioning messages, for every transport: the request body and the parser of the response
 * (contract sections 3.1, 3.2). Parsing never throws and never quotes the server's text, which may echo the
 * request with its secret (contract 3.6).
 */

import type { Failure } from './failures/failure.ts';
import { isAccessToken } from './model/access-token.ts';
import { type JsonObject, parseJsonObject } from './model/json-object.ts';
import { Secret } from './model/secret.ts';
import type { ProvisionRequest } from './ports/transport.ts';

/** Longest response body that is parsed, in characters; those of ThingsBoard are under 300 (contract 3.2). */
const ANSWER_LENGTH_MAX = 4096;

/**
 * The provisioning body, which contains the secret. Members without a value are omitted: null breaks the
 * request (contract, trap 4).
 */
export function provisionBody(request: ProvisionRequest): string {
  return JSON.stringify({
    deviceName: request.deviceName,
    provisionDeviceKey: request.key,
    provisionDeviceSecret: request.secret.reveal(),
    ...(request.token && { credentialsType: 'ACCESS_TOKEN', token: request.token.reveal() }),
  });
}

export type ProvisionAnswer =
  | { readonly type: 'token-issued'; readonly token: Secret }
  | { readonly type: 'failed'; readonly failure: Failure };

/**
 * Parses a provisioning response by its `status` member; codes and Content-Format are not reliable (traps 2
 * and 16).
 */
export function parseProvisionAnswer(body: string): ProvisionAnswer {
  const answer = parseObject(body);
  if (!answer) return failed('unexpected-response', describeBody(body));
  switch (answer['status']) {
    case 'SUCCESS':
      return parseIssuedToken(answer['credentialsType'], answer['credentialsValue']);
    case 'NOT_FOUND':
      return failed('provisioning-key-unknown', 'status NOT_FOUND');
    case 'FAILURE':
      return failed('provisioning-declined', 'status FAILURE');
    default:
      return failed('unexpected-response', 'a provisioning answer without a known status');
  }
}

function parseIssuedToken(type: unknown, value: unknown): ProvisionAnswer {
  if (type !== 'ACCESS_TOKEN') {
    const knownType = ['MQTT_BASIC', 'X509_CERTIFICATE', 'LWM2M_CREDENTIALS'].find((name) => name === type);
    return failed('credentials-type-unsupported', `credentialsType ${knownType ?? 'unknown'}`);
  }
  if (typeof value !== 'string' || !isAccessToken(value))
    return failed('unexpected-response', 'an access token that does not fit a path segment');
  return { type: 'token-issued', token: new Secret(value) };
}

/** Whether a body is ThingsBoard's answer to a read of attributes (contract section 5). */
export function isAttributesAnswer(body: string): boolean {
  const scopes = Object.keys(parseObject(body) ?? { none: true });
  return scopes.every((scope) => scope === 'client' || scope === 'shared');
}

function parseObject(body: string): JsonObject | undefined {
  return body.length > ANSWER_LENGTH_MAX ? undefined : parseJsonObject(body);
}

/** Describes an invalid body without quoting it. */
function describeBody(body: string): string {
  if (body.length === 0) return 'an empty answer';
  if (body === '\b\u0002') return 'a protobuf answer';
  if (/^\s*<(!doctype|html)/i.test(body)) return 'a web page instead of an answer';
  return `an answer of ${body.length} characters that is not a JSON object`;
}

function failed(reason: Failure['reason'], detail: string): ProvisionAnswer {
  return { type: 'failed', failure: { reason, detail } };
}
