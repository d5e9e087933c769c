/** No problem of the configuration shows a secret or a token: not in its sentence, its stack or its JSON. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { ConfigError } from '../../../src/config/errors/problem.ts';
import { ConfigFixture } from '../config-fixture.ts';

const SECRET = 'hush-8f3a';

describe('problems of a secret', () => {
  const invalid: readonly [name: string, toml: string, environment?: Record<string, string>][] = [
    ['too long', `[provisioning]\nsecret = "${SECRET.repeat(30)}"`],
    ['a control character', `[provisioning]\nsecret = "${SECRET}\\u0000"`],
    ['a number', '[provisioning]\nsecret = 314159265'],
    ['a list', `[provisioning]\nsecret = ["${SECRET}"]`],
    ['a table', `[provisioning.secret]\nvalue = "${SECRET}"`],
    ['a misspelt key', `[provisioning]\nsecert = "${SECRET}"`],
    ['the wrong table', `[device]\nsecret = "${SECRET}"`],
    ['outside any table', `secret = "${SECRET}"`],
    ['in the place of the table', `provisioning = "${SECRET}"`],
    ['in the place of the path', `[provisioning]\nsecret-file = "${SECRET}"`],
    ['an unclosed string', `[provisioning]\nsecret = "${SECRET}`],
    ['no quotes', `[provisioning]\nsecret = ${SECRET}`],
    ['a digit first, as a date would have', '[provisioning]\nsecret = 3141-59-26535'],
    ['a bad escape', `[provisioning]\nsecret = "${SECRET}\\q"`],
    ['an error on the line below', `[provisioning]\nsecret = "${SECRET}"\noops`],
    ['an error on the line above', `[provisioning]\noops\nsecret = "${SECRET}"`],
    ['in the URL', `server.url = "coap://me:${SECRET}@tb"`],
    ['in the query of the URL', `server.url = "coap://tb?token=${SECRET}"`],
    ['in an invalid URL', `server.url = "me:${SECRET}@tb"`],
    ['in a variable', '', { FIRSTLIGHT_PROVISIONING_SECRET: `${SECRET}\n` }],
    ['in a misspelt variable', '', { FIRSTLIGHT_SECRET: SECRET }],
    ['a token too long', `[device]\ntoken = "${SECRET.repeat(30)}"`],
    ['a token with a space', `[device]\ntoken = "${SECRET} "`],
    ['a token with a slash', `[device]\ntoken = "${SECRET}/x"`],
    ['a token with a question mark', `[device]\ntoken = "${SECRET}?x"`],
    ['a token with a non-ASCII character', `[device]\ntoken = "${SECRET}ü"`],
    ['a token that is a number', '[device]\ntoken = 314159265'],
    ['a token that is a list', `[device]\ntoken = ["${SECRET}"]`],
    ['a misspelt token', `[device]\ntokne = "${SECRET}"`],
    ['a token in the wrong table', `[provisioning]\ntoken = "${SECRET}"`],
    ['a token in the place of the path', `[device]\ntoken-file = "${SECRET}"`],
    ['a token without quotes', `[device]\ntoken = ${SECRET}`],
    ['a token in a variable', '', { FIRSTLIGHT_DEVICE_TOKEN: `${SECRET}/` }],
    ['a token in a misspelt variable', '', { FIRSTLIGHT_TOKEN: SECRET }],
    ['a token in the variable of its file', '', { FIRSTLIGHT_DEVICE_TOKEN_FILE: SECRET }],
  ];
  for (const [name, toml, environment = {}] of invalid) {
    it(`show no secret: ${name}`, () => {
      using fixture = new ConfigFixture();
      try {
        fixture.load(toml, { environment: { FIRSTLIGHT_SERVER_URL: 'coap://tb', ...environment } });
        assert.fail('it loaded');
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        const text = `${error.message}\n${error.stack}\n${inspect(error, { depth: 9 })}\n${JSON.stringify(error)}`;
        assert.doesNotMatch(text, /hush|8f3a|3141/);
      }
    });
  }
});
