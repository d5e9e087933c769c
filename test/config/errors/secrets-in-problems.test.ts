/** Whatever is wrong with the configuration, no problem tells a secret or a token: not in words, not in the stack, not as JSON. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { ConfigError } from '../../../src/config/errors/problem.ts';
import { Desk } from '../config-fixture.ts';

const HUSH = 'hush-8f3a';

describe('whatever is wrong, no secret is told:', () => {
  const wrong: readonly [name: string, toml: string, environment?: Record<string, string>][] = [
    ['too long', `[provisioning]\nsecret = "${HUSH.repeat(30)}"`],
    ['a control character', `[provisioning]\nsecret = "${HUSH}\\u0000"`],
    ['a number', '[provisioning]\nsecret = 314159265'],
    ['a list', `[provisioning]\nsecret = ["${HUSH}"]`],
    ['a table', `[provisioning.secret]\nvalue = "${HUSH}"`],
    ['a misspelt key', `[provisioning]\nsecert = "${HUSH}"`],
    ['the wrong table', `[device]\nsecret = "${HUSH}"`],
    ['no table', `secret = "${HUSH}"`],
    ['in the place of the table', `provisioning = "${HUSH}"`],
    ['in the place of the path', `[provisioning]\nsecret-file = "${HUSH}"`],
    ['an unclosed string', `[provisioning]\nsecret = "${HUSH}`],
    ['no quotes', `[provisioning]\nsecret = ${HUSH}`],
    ['a digit first, as a date would have', '[provisioning]\nsecret = 3141-59-26535'],
    ['a bad escape', `[provisioning]\nsecret = "${HUSH}\\q"`],
    ['an error on the line below', `[provisioning]\nsecret = "${HUSH}"\noops`],
    ['an error on the line above', `[provisioning]\noops\nsecret = "${HUSH}"`],
    ['in the URL', `server.url = "coap://me:${HUSH}@tb"`],
    ['in the query of the URL', `server.url = "coap://tb?token=${HUSH}"`],
    ['in a URL that is none', `server.url = "me:${HUSH}@tb"`],
    ['in a variable', '', { FIRSTLIGHT_PROVISIONING_SECRET: `${HUSH}\n` }],
    ['in a misspelt variable', '', { FIRSTLIGHT_SECRET: HUSH }],
    ['a token too long', `[device]\ntoken = "${HUSH.repeat(30)}"`],
    ['a token with a space', `[device]\ntoken = "${HUSH} "`],
    ['a token with a slash', `[device]\ntoken = "${HUSH}/x"`],
    ['a token with a question mark', `[device]\ntoken = "${HUSH}?x"`],
    ['a token beyond ASCII', `[device]\ntoken = "${HUSH}ü"`],
    ['a token that is a number', '[device]\ntoken = 314159265'],
    ['a token that is a list', `[device]\ntoken = ["${HUSH}"]`],
    ['a misspelt token', `[device]\ntokne = "${HUSH}"`],
    ['a token in the wrong table', `[provisioning]\ntoken = "${HUSH}"`],
    ['a token in the place of the path', `[device]\ntoken-file = "${HUSH}"`],
    ['a token without quotes', `[device]\ntoken = ${HUSH}`],
    ['a token in a variable', '', { FIRSTLIGHT_DEVICE_TOKEN: `${HUSH}/` }],
    ['a token in a misspelt variable', '', { FIRSTLIGHT_TOKEN: HUSH }],
    ['a token in the variable of its file', '', { FIRSTLIGHT_DEVICE_TOKEN_FILE: HUSH }],
  ];
  for (const [name, toml, environment = {}] of wrong) {
    it(name, () => {
      using desk = new Desk();
      try {
        desk.load(toml, { environment: { FIRSTLIGHT_SERVER_URL: 'coap://tb', ...environment } });
        assert.fail('it loaded');
      } catch (error) {
        assert.ok(error instanceof ConfigError, String(error));
        const told = `${error.message}\n${error.stack}\n${inspect(error, { depth: 9 })}\n${JSON.stringify(error)}`;
        assert.doesNotMatch(told, /hush|8f3a|3141/);
      }
    });
  }
});
