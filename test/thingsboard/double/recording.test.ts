/**
 * The double answers the recorded conversations as the real ThingsBoard 4.3.1.3 did: the first one with every kind of request, the
 * second one with what a setup sends and what the server refuses of it.
 */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Refusal } from './refusal.ts';
import { type DoubleUser, jwtOf, RestDouble } from './rest-double.ts';

interface Recorded {
  readonly what: string;
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
  /** Absent: the administrator. */
  readonly authorization?: string;
  readonly status: number;
  readonly answer: unknown;
}

const PROFILE_ID = '3b3efe20-ec32-11f1-a7c5-db72c6fb079d';
const DEVICE_ID = '3ca740b0-ec32-11f1-a7c5-db72c6fb079d';
const ADMINISTRATOR: DoubleUser = { name: 'NAME', password: 'PASSWORD', authority: 'TENANT_ADMIN' };
const CUSTOMER: DoubleUser = { name: 'CUSTOMER', password: 'x', authority: 'CUSTOMER_USER' };

for (const name of ['conversation-4.3.1.3', 'conversation-setup-4.3.1.3']) {
  test(`the double answers ${name} with the recorded status and members`, () => {
    const text = readFileSync(`test/fixtures/thingsboard/${name}.json`, 'utf8');
    const recording = JSON.parse(text) as readonly Recorded[];
    assert.ok(recording.length > 15);
    replay(recording);
  });
}

function replay(recording: readonly Recorded[]): void {
  const double = new RestDouble({ users: [ADMINISTRATOR, CUSTOMER] });
  const authorizations: Readonly<Record<string, string>> = {
    administrator: `Bearer ${jwtOf(ADMINISTRATOR)}`,
    customer: `Bearer ${jwtOf(CUSTOMER)}`,
  };
  // Ids that the double has given out, by the recorded ones.
  const ids = new Map<string, string>();
  const translate = (text: string): string =>
    text.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, (id) => ids.get(id) ?? id);
  for (const { what, method, path, body, authorization = 'administrator', status, answer } of recording) {
    if (what.startsWith('delete profile with'))
      ids.set(DEVICE_ID, double.tenant.addDevice(ids.get(PROFILE_ID) ?? ''));
    const translated = body === null ? undefined : JSON.parse(translate(JSON.stringify(body)));
    let actualStatus = 200;
    let actual: unknown;
    try {
      actual = double.answer(
        method,
        translate(path),
        translated,
        authorizations[authorization] ?? authorization,
      );
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
}

function idOf(answer: unknown): string | undefined {
  return (answer as { id?: { id?: string } } | null)?.id?.id;
}

/** Without ids, times and tokens. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => {
      const isVolatile = ['createdTime', 'timestamp', 'token', 'refreshToken', 'lastUpdateTs'].includes(name);
      const isId = typeof member === 'string' && /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(member);
      const isName = ['email', 'name'].includes(name) && String(member).includes('@');
      return [name, isVolatile || isId || isName || member === 'NAME' ? '…' : comparable(member)];
    }),
  );
}
