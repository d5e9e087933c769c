/** A setup against the strict double, over real connections. */

import { once } from 'node:events';
import { connect } from 'node:net';
import { assetSources } from '../../../src/cli/thingsboard/asset-sources.ts';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import type { RestCredentials } from '../../../src/thingsboard/rest/client.ts';
import { RestClient } from '../../../src/thingsboard/rest/client.ts';
import { Entities } from '../../../src/thingsboard/rest/entities.ts';
import { createExchange, type RestExchange } from '../../../src/thingsboard/rest/exchange.ts';
import { type ItemResult, type SetupOptions, setUp } from '../../../src/thingsboard/setup/setup.ts';
import { ADMIN, type RestDouble } from '../double/rest-double.ts';

export const SIGNAL = new AbortController().signal;

export function exchangeWith(port: number): RestExchange {
  return createExchange({
    host: `127.0.0.1:${port}`,
    userAgent: 'test',
    clock: hostClock(),
    open: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      return { ok: true, value: socket };
    },
  });
}

export async function logIn(
  double: RestDouble,
  credentials = passwordOf(ADMIN.name, ADMIN.password),
): Promise<Entities> {
  return new Entities(await RestClient.open(exchangeWith(double.port), credentials, SIGNAL));
}

export function passwordOf(user: string, password: string): RestCredentials {
  return { type: 'password', user, password: new Secret(password) };
}

/** Runs one setup; the result is what was done, by entity. */
export async function runSetup(
  double: RestDouble,
  options: Partial<SetupOptions> = {},
): Promise<ReadonlyMap<string, string>> {
  const done = new Map<string, string>();
  const onResult = ({ kind, name, decision }: ItemResult) =>
    void done.set(`${kind} ${name}`, decision.do === 'leave' ? `left: ${decision.because}` : decision.do);
  await setUp(await logIn(double), {
    sources: assetSources(),
    version: '1.0.0',
    hasAlarmRules: true,
    dryRun: false,
    reset: false,
    onResult,
    ...options,
  });
  return done;
}

/** How often each decision was taken. */
export function tally(done: ReadonlyMap<string, string>): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const decision of done.values()) counts[decision] = (counts[decision] ?? 0) + 1;
  return counts;
}

export function only<Value>(values: Iterable<Value>): Value {
  const [first, ...rest] = values;
  if (first === undefined || rest.length > 0) throw new Error('not exactly one');
  return first;
}
