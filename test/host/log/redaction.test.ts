/** No registered secret appears in any line, in whatever encoding. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { LoggerFixture, uncheckedFields } from './logger-fixture.ts';

const TOKEN = 'Zq3/x+9"tok\\en ü>>>???';

/** A text and everything that it contains in Base64, at each possible offset. */
function decodeAll(text: string): string {
  const runs = text.match(/[A-Za-z0-9+/_-]{4,}/g) ?? [];
  const read = runs.flatMap((run) =>
    [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), 'base64').toString('latin1')),
  );
  return [text, ...read].join('\n');
}

describe('a registered secret', () => {
  const bytes = Buffer.from(TOKEN);
  const texts: Readonly<Record<string, string>> = {
    'in plain text': `x${TOKEN}y`,
    twice: `${TOKEN}${TOKEN}`,
    'URL-encoded': `/api/v1/${encodeURIComponent(TOKEN)}/telemetry`,
    'URL-encoded in lower case': encodeURIComponent(TOKEN).replace(/%../g, (code) => code.toLowerCase()),
    'form-encoded': String(new URLSearchParams({ token: TOKEN })),
    'in Base64': bytes.toString('base64'),
    'in Base64 for URLs': bytes.toString('base64url'),
    'in Base64 after one character': Buffer.from(`:${TOKEN}`).toString('base64'),
    'in Base64 after two characters, for URLs': Buffer.from(`u:${TOKEN}`).toString('base64url'),
    'in Base64 before other text': Buffer.from(`${TOKEN}pad`).toString('base64'),
    'in Base64 amid other text': Buffer.from(`{"token":"${TOKEN}"}`).toString('base64'),
    'in JSON': JSON.stringify({ token: TOKEN }),
    'beside a line break': `a\n${TOKEN}\nb`,
    'where a line is cut': `${'-'.repeat(8170)}${TOKEN}`,
  };
  for (const format of ['text', 'json'] as const) {
    for (const [name, text] of Object.entries(texts)) {
      it(`redaction removes a secret ${name} (${format})`, () => {
        const fixture = new LoggerFixture({ format });
        fixture.logger.redact(new Secret(TOKEN));
        fixture.logger.info(text);
        fixture.logger.info('field', { text, [text]: 1 });
        fixture.logger.info('error', uncheckedFields({ error: new Error(text), nested: { deep: [text] } }));
        const written = fixture.lines.join('\n');
        const parts = ['Zq3/x', 'Zq3%2', 'Zq3\\', 'tok\\', 'tok%', '9"t', '9\\"t', '>>?', 'x+9', 'x%2'];
        for (const part of parts) assert.ok(!decodeAll(written).includes(part), `${part} in ${written}`);
        assert.match(written, /\*\*\*|cutFromBytes/);
        assert.equal(fixture.lines.length, 3);
      });
    }
  }

  it('redaction removes a secret of digits from a number, and the line stays JSON', () => {
    const fixture = new LoggerFixture({ format: 'json' });
    fixture.logger.redact(new Secret('271828'));
    fixture.logger.info('sent', { value: 271828, other: 3 });
    assert.deepEqual(JSON.parse((fixture.lines[0] ?? '').slice(3)).value, '***');
  });

  it('redaction leaves other lines unchanged, and ignores an empty secret', () => {
    const fixture = new LoggerFixture();
    fixture.logger.redact(new Secret(''));
    fixture.logger.redact(new Secret(TOKEN));
    fixture.logger.info('nothing to hide', { a: 'b' });
    assert.deepEqual(fixture.lines, ['<6>nothing to hide a=b']);
  });

  it('redaction replaces the longer of two secrets with the same beginning', () => {
    const fixture = new LoggerFixture();
    fixture.logger.redact(new Secret('abcdef'));
    fixture.logger.redact(new Secret('abcdefghij'));
    fixture.logger.info('abcdefghij abcdef');
    assert.deepEqual(fixture.lines, ['<6>*** ***']);
  });
});
