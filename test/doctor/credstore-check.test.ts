/** The credential store check, on the text of `systemctl cat` with drop-ins that clear and set credentials. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CredstoreReport,
  credstoreCheck,
  parseCredentialSettings,
} from '../../src/doctor/credstore-check.ts';

const { signal } = new AbortController();
const SECRET = { name: 'firstlight.secret', path: '/etc/credstore/firstlight.secret' } as const;
const UNIT =
  '# /usr/lib/systemd/system/firstlight.service\n[Service]\n# ImportCredential=nothing.*\nImportCredential=firstlight.*\n';
const LXC =
  '\n# /run/systemd/system/service.d/zzz-lxc-service.conf\n[Service]\nLoadCredential=\nImportCredential=\nProtectControlGroups=no\n';

const check = (report: Partial<CredstoreReport>) =>
  credstoreCheck([SECRET], async () => ({
    unitFiles: UNIT,
    canImportCredentials: true,
    passedNames: undefined,
    hasOtherSource: false,
    ...report,
  })).run(signal);

describe('the credential store check', () => {
  it('the credential store check passes if the unit imports the secret', async () => {
    assert.deepEqual(await check({}), {
      status: 'pass',
      observed: '/etc/credstore/firstlight.secret is passed to the service',
    });
  });

  it('the credential store check names the drop-in that clears the import, and the way out', async () => {
    const result = await check({ unitFiles: `${UNIT}${LXC}` });
    assert.ok(result.status === 'fail');
    assert.equal(
      result.observed,
      '/etc/credstore/firstlight.secret exists, but systemd does not pass it to the service: /run/systemd/system/service.d/zzz-lxc-service.conf clears ImportCredential=',
    );
    assert.equal(
      result.action,
      'give the agent a file of its own: sudo install -o root -g firstlight -m 640 /etc/credstore/firstlight.secret /etc/firstlight/secret; set provisioning.secret-file = "/etc/firstlight/secret"; then: sudo systemctl restart firstlight',
    );
  });

  it('the credential store check names the way out for an encrypted token', async () => {
    const token = { name: 'firstlight.token', path: '/etc/credstore.encrypted/firstlight.token' } as const;
    const report = { unitFiles: `${UNIT}${LXC}`, canImportCredentials: true, passedNames: undefined };
    const inspect = async () => ({ ...report, hasOtherSource: false });
    const result = await credstoreCheck([token], inspect).run(signal);
    assert.match(
      result.status === 'fail' ? result.action : '',
      /systemd-creds decrypt \/etc\/credstore\.encrypted\/firstlight\.token.*device\.token-file = "\/etc\/firstlight\/token"/,
    );
  });

  it('the credential store check names the way out for the key of a client certificate', async () => {
    const key = { name: 'firstlight.key', path: '/etc/credstore/firstlight.key' } as const;
    const report = { unitFiles: `${UNIT}${LXC}`, canImportCredentials: true, passedNames: undefined };
    const result = await credstoreCheck([key], async () => ({ ...report, hasOtherSource: false })).run(
      signal,
    );
    assert.match(
      result.status === 'fail' ? result.action : '',
      /-g firstlight -m 640 \/etc\/credstore\/firstlight\.key \/etc\/firstlight\/client\.key; set server\.key-file = "\/etc\/firstlight\/client\.key"/,
    );
  });

  it('the credential store check passes if the agent has another source', async () => {
    const { status, observed } = await check({ unitFiles: `${UNIT}${LXC}`, hasOtherSource: true });
    assert.equal(status, 'pass');
    assert.match(observed, /clears ImportCredential=; the agent has its secret from another place$/);
  });

  it('the credential store check believes the directory of a running service', async () => {
    const empty = await check({ passedNames: [] });
    assert.equal(empty.status, 'fail');
    assert.match(empty.observed, /the credentials directory of the service does not contain it$/);
    const passed = await check({ unitFiles: `${UNIT}${LXC}`, passedNames: ['firstlight.secret'] });
    assert.equal(passed.status, 'pass');
  });

  it('the credential store check fails on a systemd that cannot import', async () => {
    const old = await check({ canImportCredentials: false });
    assert.match(old.observed, /older than 254/);
    const loaded = `${UNIT}# /etc/x.conf\nLoadCredential=firstlight.secret:/etc/credstore/firstlight.secret\n`;
    assert.equal((await check({ canImportCredentials: false, unitFiles: loaded })).status, 'pass');
  });

  it('a later drop-in sets the import again', () => {
    const settings = parseCredentialSettings(
      `${UNIT}${LXC}\n# /etc/y.conf\nImportCredential=firstlight.secret\n`,
      true,
    );
    assert.equal(settings.clearedBy, undefined);
    assert.deepEqual(['firstlight.secret', 'firstlight.token'].map(settings.passes), [true, false]);
    assert.equal(parseCredentialSettings(UNIT, true).passes('other.secret'), false);
    assert.equal(parseCredentialSettings('ImportCredential=*\n', true).passes('firstlight.token'), true);
  });
});
