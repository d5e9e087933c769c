/** The provisioning body, and the parser for every response of the contract (3.2). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import type { FailureReason } from '../../src/core/failures/failure.ts';
import { Secret } from '../../src/core/model/secret.ts';
import { parseProvisionAnswer, provisionBody } from '../../src/core/thingsboard.ts';
import { anyText } from '../any-text.ts';
import { revealSecrets } from '../doubles/reveal-secrets.ts';
import { repetitions } from '../repetitions.ts';

const SEED = { seed: 20_261_121, numRuns: repetitions(2_000) };

describe('the provisioning body', () => {
  const request = { deviceName: 'gw-0001', key: 'pk1', secret: new Secret('ps1') };

  it('the provisioning body without a token is the golden example P1', () => {
    assert.equal(
      provisionBody(request),
      '{"deviceName":"gw-0001","provisionDeviceKey":"pk1","provisionDeviceSecret":"ps1"}',
    );
  });

  it('the provisioning body with a token contains the credentials type', () => {
    assert.deepEqual(JSON.parse(provisionBody({ ...request, token: new Secret('T0K') })), {
      deviceName: 'gw-0001',
      provisionDeviceKey: 'pk1',
      provisionDeviceSecret: 'ps1',
      credentialsType: 'ACCESS_TOKEN',
      token: 'T0K',
    });
  });

  it('the provisioning body never contains a null member', () => {
    assert.doesNotMatch(provisionBody(request), /null|undefined|\*\*\*/);
  });
});

const issued = (value: unknown, type: unknown = 'ACCESS_TOKEN') =>
  JSON.stringify({ credentialsValue: value, credentialsType: type, status: 'SUCCESS' });

const ACCEPTED: readonly (readonly [title: string, body: string, token: string])[] = [
  ['P1', issued('sLzc0gDAZPkGMzFVTyUY'), 'sLzc0gDAZPkGMzFVTyUY'],
  [
    'members in another order, with white space',
    ' {"status":"SUCCESS", "credentialsType":"ACCESS_TOKEN",\n"credentialsValue":"t"}',
    't',
  ],
  [
    'unknown members',
    '{"status":"SUCCESS","credentialsType":"ACCESS_TOKEN","credentialsValue":"t","x":1}',
    't',
  ],
  ['a token of 255 characters', issued('x'.repeat(255)), 'x'.repeat(255)],
  // ThingsBoard accepts any text (contract section 14); the transports decide which of them can carry it.
  ['a token of 256 characters', issued('x'.repeat(256)), 'x'.repeat(256)],
  ['a token with characters that HTTP cannot carry', issued('plant/7;%\\?'), 'plant/7;%\\?'],
  ['a token with a space and a line end', issued('a b\n'), 'a b\n'],
  ['a token that is not ASCII', issued('é'), 'é'],
  ['every character of a path segment', issued('!~-._:@$&'), '!~-._:@$&'],
];

describe('a provisioning response with a usable token', () => {
  for (const [title, body, token] of ACCEPTED) {
    it(title, () => {
      assert.deepEqual(revealSecrets(parseProvisionAnswer(body)), {
        type: 'token-issued',
        token: `revealed ${token}`,
      });
    });
  }
});

const REJECTED: readonly (readonly [title: string, body: string, reason: FailureReason])[] = [
  [
    'P2, wrong key or secret',
    '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}',
    'provisioning-key-unknown',
  ],
  [
    'P3, taken or limited',
    '{"errorMsg":"Failed to provision device!","status":"FAILURE"}',
    'provisioning-declined',
  ],
  ['P5, protobuf', '\b\u0002', 'unexpected-response'],
  ['P6, empty', '', 'unexpected-response'],
  [
    'an MQTT_BASIC object',
    issued({ clientId: 'c', userName: 'u', password: 'p' }, 'MQTT_BASIC'),
    'credentials-type-unsupported',
  ],
  ['an X.509 certificate', issued('MIIB', 'X509_CERTIFICATE'), 'credentials-type-unsupported'],
  [
    'LWM2M without a value',
    '{"credentialsType":"LWM2M_CREDENTIALS","status":"SUCCESS"}',
    'credentials-type-unsupported',
  ],
  ['success without a type', '{"credentialsValue":"t","status":"SUCCESS"}', 'credentials-type-unsupported'],
  ['a type in lower case', issued('t', 'access_token'), 'credentials-type-unsupported'],
  ['success without a value', '{"credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}', 'unexpected-response'],
  ['an empty token', issued(''), 'unexpected-response'],
  ['a token of 1025 characters', issued('x'.repeat(1025)), 'unexpected-response'],
  ['a token that is no path segment', issued('..'), 'unexpected-response'],
  ['a number for a token', issued(7), 'unexpected-response'],
  ['an unknown status', '{"status":"MAYBE"}', 'unexpected-response'],
  ['a status in lower case', '{"status":"failure"}', 'unexpected-response'],
  ['the error object of HTTP (3.6)', '{"status":500,"message":"x","errorCode":2}', 'unexpected-response'],
  ['no status', '{}', 'unexpected-response'],
  ['a status of the prototype', '{"__proto__":{"status":"FAILURE"}}', 'unexpected-response'],
  ['an array', '[{"status":"FAILURE"}]', 'unexpected-response'],
  ['null', 'null', 'unexpected-response'],
  ['text', '"FAILURE"', 'unexpected-response'],
  ['a truncated response', '{"status":"SUCC', 'unexpected-response'],
  ['a web page', '<!DOCTYPE html><title>Sign in</title>', 'unexpected-response'],
  [
    'a response over 4096 characters',
    `{"status":"FAILURE","x":"${'x'.repeat(4_096)}"}`,
    'unexpected-response',
  ],
];

describe('any other provisioning response is a failure with its reason', () => {
  for (const [title, body, reason] of REJECTED) {
    it(`${title}: ${reason}`, () => {
      const answer = parseProvisionAnswer(body);
      assert.equal(answer.type === 'failed' && answer.failure.reason, reason);
    });
  }
});

describe('the detail of a failure describes the response', () => {
  const DESCRIPTIONS = [
    ['', /empty/],
    ['\b\u0002', /protobuf/],
    [' <HTML>', /web page/],
    ['[{}]', /4 characters.*not a JSON object/],
    ['nonsense', /8 characters.*not a JSON object/],
    [issued('MIIB', 'X509_CERTIFICATE'), /X509_CERTIFICATE/],
    [issued('x', 'S3CRET'), /credentialsType unknown$/],
  ] as const;
  for (const [body, description] of DESCRIPTIONS) {
    it(`${description}`, () => {
      const answer = parseProvisionAnswer(body);
      assert.match(answer.type === 'failed' ? answer.failure.detail : '', description);
    });
  }
});

/** Arbitrary text, arbitrary JSON, and arbitrary members of an answer. */
const bodies = fc.oneof(
  anyText({ maxLength: 300 }),
  fc.json(),
  fc
    .record({
      status: fc.constantFrom('SUCCESS', 'FAILURE', 'X'),
      credentialsType: fc.anything(),
      credentialsValue: fc.anything(),
    })
    .map((answer) => parseSafely(answer)),
);

function parseSafely(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '{"status":"SUCCESS","credentialsType":"ACCESS_TOKEN"}'; // a BigInt or a circle
  }
}

it('no response makes the parser throw', () => {
  const check = (body: string) => {
    const answer = parseProvisionAnswer(body);
    assert.ok(answer.type === 'token-issued' || answer.failure.detail.length < 100);
  };
  fc.assert(fc.property(bodies, check), SEED);
});

it('no failure quotes the server, which may echo the secret', () => {
  const secret = 'Echoed5ecret';
  const echoes = [
    secret,
    JSON.stringify(secret),
    `{"status":"${secret}"}`,
    `{"status":"FAILURE","errorMsg":"${secret}"}`,
    `{"status":"NOT_FOUND","errorMsg":"${secret}"}`,
    `<html>${secret}`,
    issued(`${secret}/`),
    issued({ password: secret }, 'MQTT_BASIC'),
    issued(secret, secret),
  ];
  for (const body of echoes)
    assert.doesNotMatch(JSON.stringify(parseProvisionAnswer(body)), /Echoed|5ecret/, body);
});
