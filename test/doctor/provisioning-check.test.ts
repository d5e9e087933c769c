/** The provisioning check for each state of the credentials: it reports what the agent would do at its start. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../src/core/model/secret.ts';
import type { CheckResult } from '../../src/doctor/check.ts';
import { type CredentialState, explainMissingToken } from '../../src/doctor/credential-state.ts';
import { type ProvisioningPair, provisioningCheck } from '../../src/doctor/provisioning-check.ts';

const PAIR: ProvisioningPair = { key: 'a-key-of-20-letters-', secretCharacters: 20 };
const TOKEN = new Secret('aTokenNobodyMaySee12');
const { signal } = new AbortController();

const runCheck = (
  credentials: CredentialState,
  pair: ProvisioningPair | undefined = PAIR,
): Promise<CheckResult> => provisioningCheck('gw-1', pair, credentials).run(signal);
const withoutPair = (credentials: CredentialState): Promise<CheckResult> =>
  provisioningCheck('gw-1', undefined, credentials).run(signal);

const ROWS: readonly (readonly [CredentialState, seen: RegExp, without: CheckResult['status']])[] = [
  [
    { status: 'absent' },
    /^the agent would provision as gw-1 with a key of 20 characters .* nothing was sent$/,
    'fail',
  ],
  [{ status: 'usable', device: 'gw-7', token: TOKEN }, /^not needed: .* gw-7/, 'pass'],
  [{ status: 'configured', token: TOKEN }, /^not needed: the configuration contains the token/, 'pass'],
  [
    { status: 'pending', device: 'gw-7' },
    /^requested as gw-7 before: the agent would verify that token/,
    'pass',
  ],
  [
    { status: 'bound-elsewhere', differs: 'server', device: 'gw-7', server: 'coap://old:5683' },
    /belong to another server \(gw-7 on coap:\/\/old:5683\): the agent would archive them and provision as gw-1/,
    'fail',
  ],
  [
    { status: 'bound-elsewhere', differs: 'board', device: 'gw-7', server: 'coap://tb:5683' },
    /belong to another board .*: the agent would archive them and provision as gw-1/,
    'fail',
  ],
  [
    { status: 'unreadable', problem: 'run it with sudo' },
    /^the agent would provision as gw-1 if there are no credentials/,
    'skip',
  ],
];

describe('the provisioning check', () => {
  for (const [credentials, seen, without] of ROWS) {
    it(`handles credentials that are ${credentials.status}${'differs' in credentials ? ` ${credentials.differs}` : ''}`, async () => {
      const result = await runCheck(credentials);
      assert.deepEqual([result.status, seen.test(result.observed)], ['pass', true], result.observed);
      const lacking = await withoutPair(credentials);
      assert.equal(lacking.status, without, lacking.observed);
      assert.ok(!JSON.stringify([result, lacking]).includes(TOKEN.reveal()));
    });
  }

  it('offers both remedies for credentials of another server without a key', async () => {
    const result = await withoutPair({
      status: 'bound-elsewhere',
      differs: 'server',
      device: 'g',
      server: 'coap://old',
    });
    assert.match(
      result.observed,
      /belong to another server \(g on coap:\/\/old\), and there is no provisioning key/,
    );
    assert.match(
      result.status === 'fail' ? result.action : '',
      /^set server\.url back, or .*provisioning\.key/,
    );
  });

  it('fails with the remedy for damaged or newer credentials', async () => {
    for (const are of ['damaged', 'newer'] as const) {
      const result = await runCheck({ status: are, problem: 'the file is torn' });
      assert.ok(result.status === 'fail');
      assert.match(result.meaning, /the agent sends no request to the server$/);
      assert.match(result.action, are === 'damaged' ? /restore credentials\.json/ : /install that version/);
    }
  });

  it('does not report an unreadable secret as missing', async () => {
    const look = (credentials: CredentialState) =>
      provisioningCheck('gw-1', 'unreadable', credentials).run(signal);
    const unseen = await look({ status: 'absent' });
    assert.deepEqual([unseen.status, /run with sudo/.test(unseen.observed)], ['skip', true]);
    assert.equal((await look({ status: 'usable', device: 'gw-7', token: TOKEN })).status, 'pass');
    assert.equal((await look({ status: 'damaged', problem: 'torn' })).status, 'fail');
  });

  it('fails for a key that is not a ThingsBoard key', async () => {
    const result = await runCheck({ status: 'absent' }, { key: 'two words', secretCharacters: 3 });
    assert.equal(result.status, 'fail');
    assert.doesNotMatch(JSON.stringify(result), /two words/);
  });
});

it('explainMissingToken has a reason for each state without a token', () => {
  for (const [credentials] of ROWS)
    assert.equal(explainMissingToken(credentials) === undefined, 'token' in credentials, credentials.status);
});
