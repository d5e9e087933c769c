/** The double answers the recorded conversation as the real ThingsBoard 4.3.1.3 did. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Refusal } from './refusal.ts';
import { RestDouble } from './rest-double.ts';

interface Recorded {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  readonly status: number;
  readonly answer: unknown;
}

const FIXTURE = 'test/fixtures/thingsboard/conversation-4.3.1.3.json';
const recording = JSON.parse(readFileSync(FIXTURE, 'utf8')) as readonly Recorded[];
const PROFILE_ID = '3b3efe20-ec32-11f1-a7c5-db72c6fb079d';

test('the double answers the recorded requests with the recorded status and members', () => {
  const double = new RestDouble({
    users: [{ name: 'NAME', password: 'PASSWORD', authority: 'TENANT_ADMIN' }],
  });
  const { token } = double.answer('POST', '/api/auth/login', recording[1]?.body, undefined) as {
    token: string;
  };
  // Ids that the double has given out, by the recorded ones.
  const ids = new Map<string, string>();
  const translate = (text: string): string =>
    text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => ids.get(id) ?? id);
  for (const { what, method, path, body, status, answer } of recording) {
    if (what.startsWith('delete profile with')) {
      ids.set('3ca740b0-ec32-11f1-a7c5-db72c6fb079d', double.tenant.addDevice(ids.get(PROFILE_ID) ?? ''));
    }
    const translated = body === null ? undefined : JSON.parse(translate(JSON.stringify(body)));
    let actualStatus = 200;
    let actual: unknown;
    try {
      actual = double.answer(method, translate(path), translated, `Bearer ${token}`);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      actualStatus = error.status;
      actual = error.body;
    }
    assert.equal(actualStatus, status, what);
    const [recordedId, actualId] = [idOf(answer), idOf(actual)];
    if (recordedId !== undefined && actualId !== undefined) ids.set(recordedId, actualId);
    assert.deepEqual(comparable(actual ?? null), comparable(answer), what);
  }
});

function idOf(answer: unknown): string | undefined {
  return (answer as { id?: { id?: string } } | null)?.id?.id;
}

/** Without ids, times and tokens. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isVolatile = ['createdTime', 'timestamp', 'token', 'refreshToken'].includes(name);
      const isId = typeof member === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(member);
      const isName = ['email', 'name'].includes(name) && String(member).includes('@');
      return [name, isVolatile || isId || isName || member === 'NAME' ? '…' : comparable(member)];
    }),
  );
}
