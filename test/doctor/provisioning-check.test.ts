/** The provisioning check, by what the credentials are: it says what the agent would do at its start, and never more than is known. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../src/core/model/secret.ts';
import type { Finding } from '../../src/doctor/check.ts';
import { type Credentials, whyNoToken } from '../../src/doctor/credential-state.ts';
import { type Pair, provisioningCheck } from '../../src/doctor/provisioning-check.ts';

const PAIR: Pair = { key: 'a-key-of-20-letters-', secretCharacters: 20 };
const TOKEN = new Secret('aTokenNobodyMaySee12');
const { signal } = new AbortController();

const found = (credentials: Credentials, pair: Pair | undefined = PAIR): Promise<Finding> =>
  provisioningCheck('gw-1', pair, credentials).look(signal);
const withoutPair = (credentials: Credentials): Promise<Finding> =>
  provisioningCheck('gw-1', undefined, credentials).look(signal);

const ROWS: readonly (readonly [Credentials, seen: RegExp, without: Finding['mark']])[] = [
  [{ are: 'absent' }, /^would ask as gw-1 with a key of 20 characters .* nothing was sent$/, 'cross'],
  [{ are: 'usable', device: 'gw-7', token: TOKEN }, /^not needed: .* gw-7/, 'tick'],
  [{ are: 'given', token: TOKEN }, /^not needed: the configuration gives the token/, 'tick'],
  [{ are: 'pending', device: 'gw-7' }, /^asked for as gw-7 before: would ask whether that worked/, 'tick'],
  [
    { are: 'of another', what: 'server', device: 'gw-7', server: 'coap://old:5683' },
    /of another server \(gw-7 on coap:\/\/old:5683\): would keep them aside and ask as gw-1/,
    'cross',
  ],
  [
    { are: 'of another', what: 'board', device: 'gw-7', server: 'coap://tb:5683' },
    /of another board .*: would keep them aside and ask as gw-1/,
    'cross',
  ],
  [{ are: 'hidden', problem: 'run it with sudo' }, /^would ask as gw-1 if there are no credentials/, 'dash'],
];

describe('the provisioning check', () => {
  for (const [credentials, seen, without] of ROWS) {
    it(`of credentials that are ${credentials.are}${'what' in credentials ? ` ${credentials.what}` : ''}`, async () => {
      const finding = await found(credentials);
      assert.deepEqual([finding.mark, seen.test(finding.seen)], ['tick', true], finding.seen);
      const lacking = await withoutPair(credentials);
      assert.equal(lacking.mark, without, lacking.seen);
      assert.ok(!JSON.stringify([finding, lacking]).includes(TOKEN.reveal()));
    });
  }

  it('says of another server’s credentials without a pair both ways out', async () => {
    const finding = await withoutPair({
      are: 'of another',
      what: 'server',
      device: 'g',
      server: 'coap://old',
    });
    assert.match(finding.seen, /of another server \(g on coap:\/\/old\), and there is no provisioning pair/);
    assert.match(
      finding.mark === 'cross' ? finding.todo : '',
      /^set server\.url back, or .*provisioning\.key/,
    );
  });

  it('says of damaged ones, and those of a later version, that nothing is asked and what to do', async () => {
    for (const are of ['damaged', 'newer'] as const) {
      const finding = await found({ are, problem: 'the file is torn' });
      assert.ok(finding.mark === 'cross');
      assert.match(finding.means, /the agent asks nothing of the server$/);
      assert.match(finding.todo, are === 'damaged' ? /restore credentials\.json/ : /install that version/);
    }
  });

  it('does not call a pair missing that this user may not see', async () => {
    const look = (credentials: Credentials) => provisioningCheck('gw-1', 'hidden', credentials).look(signal);
    const unseen = await look({ are: 'absent' });
    assert.deepEqual([unseen.mark, /run it with sudo/.test(unseen.seen)], ['dash', true]);
    assert.equal((await look({ are: 'usable', device: 'gw-7', token: TOKEN })).mark, 'tick');
    assert.equal((await look({ are: 'damaged', problem: 'torn' })).mark, 'cross');
  });

  it('refuses a key that ThingsBoard never makes', async () => {
    const finding = await found({ are: 'absent' }, { key: 'two words', secretCharacters: 3 });
    assert.equal(finding.mark, 'cross');
    assert.doesNotMatch(JSON.stringify(finding), /two words/);
  });
});

it('there is a reason for each kind of credentials without a token, and none for one with', () => {
  for (const [credentials] of ROWS)
    assert.equal(whyNoToken(credentials) === undefined, 'token' in credentials, credentials.are);
});
