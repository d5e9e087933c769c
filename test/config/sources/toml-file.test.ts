/** Configuration files that are missing, not readable, too large, not text or not TOML. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ConfigFixture, SERVER } from '../config-fixture.ts';

const NOBODY = 65_534;

/** Runs `action` as a user to whom file modes apply; they do not apply to root. */
function asNobody(action: () => void): void {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(NOBODY);
  try {
    action();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

describe('a configuration file', () => {
  it('that is missing is a problem with the lines to create', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.sentences(undefined), [
      'firstlight.toml: does not exist; create it with these lines:\n# firstlight.toml\n[server]\nurl = "coap://thingsboard.example.com"',
    ]);
  });

  it('that is empty only lacks the server', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.sentences(''), [
      'firstlight.toml: server.url is missing; allowed: coap://host[:port], coaps://host[:port], http://host[:port] or https://host[:port], default ports 5683, 5684, 80 and 443, an IPv6 address in brackets; at most 8 URLs, as a list or separated by commas; example: url = "coap://thingsboard.example.com"',
    ]);
  });

  it('that is not readable by this user is a problem', () => {
    using fixture = new ConfigFixture();
    fixture.write('firstlight.toml', SERVER, 0o000);
    chmodSync(fixture.directory, 0o755);
    asNobody(() => {
      assert.deepEqual(fixture.sentences(undefined), [
        'firstlight.toml: is not readable by this user (EACCES)',
      ]);
    });
  });

  it('that is a directory, a FIFO or a device is a problem and does not block', () => {
    using fixture = new ConfigFixture();
    mkdirSync(fixture.toml);
    assert.deepEqual(fixture.sentences(undefined), ['firstlight.toml: is a directory, not a file']);
    execFileSync('mkfifo', [`${fixture.directory}/fifo`]);
    assert.match(
      fixture.sentences(undefined, { file: `${fixture.directory}/fifo` })[0] ?? '',
      /is not a regular file/,
    );
    assert.match(fixture.sentences(undefined, { file: '/dev/zero' })[0] ?? '', /is not a regular file/);
  });

  it('of 256 KiB is read, one with a byte more is a problem', () => {
    using fixture = new ConfigFixture();
    const fill = 256 * 1024 - SERVER.length;
    assert.deepEqual(fixture.problems(`${SERVER}${'#'.repeat(fill)}`), []);
    assert.deepEqual(fixture.sentences(`${SERVER}${'#'.repeat(fill + 1)}`), [
      'firstlight.toml: is larger than 256 KiB',
    ]);
  });

  it('that is not UTF-8 or starts with a byte order mark is a problem', () => {
    using fixture = new ConfigFixture();
    fixture.write('firstlight.toml', Buffer.concat([Buffer.from(SERVER), Buffer.from([0xff, 0xfe])]));
    assert.deepEqual(fixture.sentences(undefined), ['firstlight.toml: is not UTF-8 text']);
    assert.match(fixture.sentences(`\ufeff${SERVER}`)[0] ?? '', /starts with a byte order mark; save it/);
  });

  it('that is not TOML is a problem with line and reason, without its content', () => {
    using fixture = new ConfigFixture();
    assert.deepEqual(fixture.sentences('[server]\nurl = coap://tb\n'), [
      'firstlight.toml:2: is not valid TOML: invalid value (text needs quotes: name = "value")',
    ]);
    assert.deepEqual(fixture.sentences(`${SERVER}${SERVER}`), [
      'firstlight.toml:3: is not valid TOML: trying to redefine an already defined table or value',
    ]);
  });

  it('that is not TOML hides no problem of the environment and adds none', () => {
    using fixture = new ConfigFixture();
    const environment = { FIRSTLIGHT_LOG_LEVEL: 'loud', FIRSTLIGHT_PROVISIONING_KEY: 'k' };
    const sources = fixture.problems('oops', { environment }).map((each) => each.source);
    assert.deepEqual(sources, [fixture.toml, 'FIRSTLIGHT_LOG_LEVEL']);
  });
});
