/** Which device names the server accepts, and how a template is expanded. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { checkDeviceName, expandDeviceName, type NameSources } from '../../../src/core/model/device-name.ts';

const SOURCES: NameSources = {
  serial: '10000000abcdef01',
  machineId: 'fedcba98',
  mac: undefined,
  hostname: 'pi',
};

const ACCEPTED = ['gw-1', 'g', 'x'.repeat(255), 'Küche 3', '塔-7', 'a & b', '{odd}'];
const REJECTED = [
  ['', /empty/],
  ['   ', /empty/],
  [' gw', /white space/],
  ['gw\n', /white space/],
  ['x'.repeat(256), /256 characters.*255/],
  ['g\u0000w', /control character/],
  ['g\u007fw', /control character/],
  ['g\ud800w', /half a character/],
  ['<b>', /HTML/],
  ['a>b', /HTML/],
] as const;

it('a name that the server accepts has no problem', () => {
  for (const name of ACCEPTED) assert.equal(checkDeviceName(name), undefined, name);
});

it('a name that the server would reject has a problem with the reason', () => {
  for (const [name, reason] of REJECTED)
    assert.match(checkDeviceName(name) ?? '', reason, JSON.stringify(name));
});

it('a template without placeholders is the name', () => {
  assert.deepEqual(expandDeviceName('kitchen', SOURCES), { ok: true, name: 'kitchen', sources: [] });
});

it('a repeated placeholder is listed once in the sources', () => {
  assert.deepEqual(expandDeviceName('{hostname}/{serial}/{hostname}', SOURCES), {
    ok: true,
    name: 'pi/10000000abcdef01/pi',
    sources: ['hostname', 'serial'],
  });
});

it('all problems of a template are reported at once', () => {
  assert.match(
    problemOf('{mac}-{sreial}'),
    /no mac for the placeholder \{mac\}.*\{sreial\} is not a placeholder/,
  );
});

it('a single brace, an empty placeholder and a prototype name are rejected', () => {
  assert.match(problemOf('gw-{serial'), /brace/);
  assert.match(problemOf('gw-}'), /brace/);
  assert.match(problemOf('gw-{}'), /not a placeholder/);
  assert.match(problemOf('gw-{constructor}'), /not a placeholder/);
});

it('the value of a placeholder is inserted as plain text', () => {
  const filled = expandDeviceName('gw-{hostname}', { ...SOURCES, hostname: '$&$1' });
  assert.equal(filled.ok && filled.name, 'gw-$&$1');
});

it('an invalid expanded name is a problem that quotes part of the template', () => {
  assert.match(problemOf('<{hostname}>'), /HTML/);
  assert.ok(problemOf('x'.repeat(1000)).length < 200);
});

function problemOf(template: string): string {
  const result = expandDeviceName(template, SOURCES);
  return result.ok ? '' : result.problem;
}
