/** Provisioning requests, their decision and their response (contract section 3). */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SandboxCoreWithAdmin } from '../../../src/sandbox/core/core.ts';
import type { Knobs, ProvisionAnswer } from '../../../src/sandbox/core/model/types.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { openQuickCore, provisionBody } from '../helpers/quick-core.ts';

const FAILURE = '{"errorMsg":"Failed to provision device!","status":"FAILURE"}';
const NOT_FOUND = '{"errorMsg":"Provision data was not found!","status":"NOT_FOUND"}';

type Members = Readonly<Record<string, unknown>>;

/** The JSON text of the answer, or its status if it has none. */
async function provision(core: SandboxCoreWithAdmin, members: Members): Promise<string> {
  return toText(await core.provision(provisionBody(members), 'coap'));
}

function toText(answer: ProvisionAnswer): string {
  return answer.status === 'answered' ? answer.json : answer.status;
}

async function provisionNew(members: Members, knobs: Partial<Knobs> = {}): Promise<string> {
  return provision(openQuickCore({ knobs }), members);
}

function accessToken(token: string): string {
  return `{"credentialsValue":"${token}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"}`;
}

describe('a provisioning request', () => {
  it('P1: a request creates the device and returns its token', async () => {
    const core = openQuickCore({ generateToken: () => 'sLzc0gDAZPkGMzFVTyUY' });
    const answer = await core.provision(provisionBody({ deviceName: 'gw-0001' }), 'coap');
    assert.deepEqual(answer, {
      status: 'answered',
      success: true,
      json: accessToken('sLzc0gDAZPkGMzFVTyUY'),
    });
    const [device] = core.admin.devices();
    assert.equal(device?.name, 'gw-0001');
    assert.deepEqual(device?.attributes.server, { provisionState: 'provisioned' });
  });

  it('P2: a wrong key, a wrong secret and disabled provisioning give NOT_FOUND', async () => {
    assert.equal(await provisionNew({ provisionDeviceKey: 'other' }), NOT_FOUND);
    assert.equal(await provisionNew({ provisionDeviceSecret: 'PS1' }), NOT_FOUND);
    assert.equal(await provisionNew({}, { strategy: 'disabled' }), NOT_FOUND);
  });

  it('P3: a second request gives FAILURE and creates no device', async () => {
    const core = openQuickCore();
    await provision(core, { deviceName: 'gw' });
    const again = await core.provision(provisionBody({ deviceName: 'gw' }), 'coap');
    assert.deepEqual(again, { status: 'answered', success: false, json: FAILURE });
    assert.equal(core.admin.devices().length, 1);
  });

  const malformed: readonly (readonly [what: string, body: string])[] = [
    ['truncated JSON', '{'],
    ['an array', '[]'],
    ['a scalar', '1'],
    ['no key member', '{"provisionDeviceSecret":"ps1"}'],
    ['no secret member', '{"provisionDeviceKey":"pk1"}'],
    ['a null name', provisionBody({ deviceName: null })],
    ['a null token', provisionBody({ token: null })],
    ['a null gateway flag', provisionBody({ gateway: null })],
    ['an object for a name', provisionBody({ deviceName: {} })],
    ['an array of two for a name', provisionBody({ deviceName: ['a', 'b'] })],
    ['an empty array for a name', provisionBody({ deviceName: [] })],
    ['an unknown credentials type', provisionBody({ credentialsType: 'PSK' })],
    ['a credentials type in the wrong case', provisionBody({ credentialsType: 'access_token' })],
    ['a null credentials type', provisionBody({ credentialsType: null })],
  ];
  for (const [what, body] of malformed) {
    it(`P6: a request with ${what} is malformed`, async () => {
      const core = openQuickCore();
      assert.equal((await core.provision(body, 'coap')).status, 'malformed');
      assert.equal(core.admin.devices().length, 0);
    });
  }

  it('the error for a missing member repeats the whole body with the secret', async () => {
    const answer = await openQuickCore().provision('{"provisionDeviceSecret":"ps1"}', 'http');
    assert.ok(answer.status === 'malformed');
    assert.match(answer.message, /provisionDeviceKey.*"provisionDeviceSecret":"ps1"/);
  });

  it('numbers, booleans and one-element arrays are read as text', async () => {
    const core = openQuickCore();
    await provision(core, { deviceName: 42, token: ['tok'] });
    await provision(core, { deviceName: true });
    assert.deepEqual(
      core.admin.devices().map(({ name, token }) => [name, token === 'tok']),
      [
        ['42', true],
        ['true', false],
      ],
    );
  });

  it('unknown members are ignored', async () => {
    assert.match(await provisionNew({ deviceName: 'gw', colour: null }), /SUCCESS/);
  });

  it('the member gateway marks a gateway', async () => {
    const core = openQuickCore();
    await provision(core, { deviceName: 'gw', gateway: true });
    assert.equal(core.admin.devices()[0]?.gateway, true);
  });
});

describe('the decision order', () => {
  it('a blank name is checked before key and secret', async () => {
    assert.equal(await provisionNew({ deviceName: ' \t', provisionDeviceKey: 'other' }), FAILURE);
  });

  it('an empty key or secret is checked before the profile', async () => {
    assert.equal(await provisionNew({ provisionDeviceKey: '' }), NOT_FOUND);
    assert.equal(await provisionNew({ provisionDeviceSecret: '' }), NOT_FOUND);
  });

  it('the secret is checked before an existing name', async () => {
    const core = openQuickCore();
    await provision(core, { deviceName: 'gw' });
    assert.equal(await provision(core, { deviceName: 'gw', provisionDeviceSecret: 'wrong' }), NOT_FOUND);
  });

  it('an existing name is found in any profile, trimmed and case-sensitive', async () => {
    const core = openQuickCore();
    core.admin.createDevice({ name: 'gw', profile: 'another' });
    assert.equal(await provision(core, { deviceName: '  gw ' }), FAILURE);
    assert.match(await provision(core, { deviceName: 'GW' }), /SUCCESS/);
  });

  it('the certificate-chain strategy answers only after the transport timeout', async () => {
    const clock = new ManualClock();
    const core = openQuickCore({ clock, knobs: { strategy: 'chain' } });
    assert.equal(await provision(core, { provisionDeviceKey: 'other' }), NOT_FOUND);
    let answer: string | undefined;
    const asking = provision(core, { deviceName: 'gw' }).then((text) => {
      answer = text;
    });
    await clock.advance(9_999);
    assert.equal(answer, undefined);
    await clock.advance(1);
    await asking;
    assert.equal(answer, 'unavailable');
  });
});

describe('the pre-provisioned strategy', () => {
  const knobs = { strategy: 'pre-provisioned' } as const;

  it('pre-provisioned: the response has the existing credentials', async () => {
    const core = openQuickCore({ knobs });
    core.admin.createDevice({ name: 'gw', token: 'existing' });
    assert.equal(await provision(core, { deviceName: ' gw ', token: 'mine' }), accessToken('existing'));
  });

  it('pre-provisioned: an unknown, unnamed, foreign or used device gives FAILURE', async () => {
    const core = openQuickCore({ knobs });
    core.admin.createDevice({ name: 'foreign', profile: 'another' });
    core.admin.createDevice({ name: 'gw' });
    assert.equal(await provision(core, { deviceName: 'unknown' }), FAILURE);
    assert.equal(await provision(core, {}), FAILURE);
    assert.equal(await provision(core, { deviceName: 'foreign' }), FAILURE);
    assert.match(await provision(core, { deviceName: 'gw' }), /SUCCESS/);
    assert.equal(await provision(core, { deviceName: 'gw' }), FAILURE);
  });

  it('repeatedProvisioning: a used device gets its token again, over and over', async () => {
    const core = openQuickCore({ knobs: { ...knobs, repeatedProvisioning: true } });
    core.admin.createDevice({ name: 'gw', token: 'existing' });
    for (const token of ['first', 'second', 'third']) {
      assert.equal(await provision(core, { deviceName: 'gw', token }), accessToken('existing'));
    }
    assert.equal(await provision(core, { deviceName: 'unknown' }), FAILURE);
    core.admin.updateKnobs({ repeatedProvisioning: false });
    assert.equal(await provision(core, { deviceName: 'gw' }), FAILURE);
  });

  it('repeatedProvisioning: a created device is still declined', async () => {
    const core = openQuickCore({ knobs: { repeatedProvisioning: true } });
    assert.match(await provision(core, { deviceName: 'gw' }), /SUCCESS/);
    assert.equal(await provision(core, { deviceName: 'gw' }), FAILURE);
  });

  it('pre-provisioned: a wrong secret gives NOT_FOUND before the device check', async () => {
    assert.equal(await provisionNew({ deviceName: 'unknown', provisionDeviceSecret: 'x' }, knobs), NOT_FOUND);
  });

  it('pre-provisioned: a device can provision again after its state is cleared', async () => {
    const core = openQuickCore({ knobs });
    core.admin.createDevice({ name: 'gw', token: 'existing' });
    await provision(core, { deviceName: 'gw' });
    core.admin.clearProvisionState('gw');
    assert.equal(await provision(core, { deviceName: 'gw' }), accessToken('existing'));
  });
});

describe('credentials on creation', () => {
  it('a device without a name gets 20 random alphanumerics', async () => {
    const core = openQuickCore();
    assert.match(await provision(core, {}), /SUCCESS/);
    assert.match(core.admin.devices()[0]?.name ?? '', /^[A-Za-z0-9]{20}$/);
  });

  it('the server generates a token of 20 alphanumerics for any type', async () => {
    for (const credentialsType of ['ACCESS_TOKEN', 'X509_CERTIFICATE', 'MQTT_BASIC', 'LWM2M_CREDENTIALS']) {
      const minted =
        /^\{"credentialsValue":"[A-Za-z0-9]{20}","credentialsType":"ACCESS_TOKEN","status":"SUCCESS"\}$/;
      assert.match(await provisionNew({ credentialsType }), minted);
    }
  });

  it('the server accepts the token that the device proposes', async () => {
    assert.equal(await provisionNew({ token: 'mine' }), accessToken('mine'));
  });

  it('a token in use is rejected without creating a device', async () => {
    const core = openQuickCore();
    core.admin.createDevice({ name: 'other', token: 'taken' });
    assert.equal(await provision(core, { deviceName: 'gw', token: 'taken' }), FAILURE);
    assert.match(await provision(core, { deviceName: 'gw', token: 'free' }), /SUCCESS/);
  });

  it('an access token request with only a username is rejected', async () => {
    assert.equal(await provisionNew({ username: 'u' }), FAILURE);
  });

  it('MQTT credentials are returned as an object with empty strings', async () => {
    assert.equal(
      await provisionNew({ credentialsType: 'MQTT_BASIC', username: 'u' }),
      '{"credentialsValue":{"clientId":"","userName":"u","password":""},"credentialsType":"MQTT_BASIC","status":"SUCCESS"}',
    );
  });

  it('incomplete MQTT credentials are rejected', async () => {
    assert.equal(await provisionNew({ credentialsType: 'MQTT_BASIC', password: 'p' }), FAILURE);
    assert.equal(
      await provisionNew({ credentialsType: 'MQTT_BASIC', clientId: 'c', password: 'p' }),
      FAILURE,
    );
    assert.match(await provisionNew({ credentialsType: 'MQTT_BASIC', clientId: 'c' }), /SUCCESS/);
  });

  it('a certificate is returned as one base64 line', async () => {
    const hash = '-----BEGIN CERTIFICATE-----\nMIIB\nabcd\n-----END CERTIFICATE-----\n';
    assert.equal(
      await provisionNew({ credentialsType: 'X509_CERTIFICATE', hash }),
      '{"credentialsValue":"MIIBabcd","credentialsType":"X509_CERTIFICATE","status":"SUCCESS"}',
    );
  });

  it('LwM2M credentials are returned without a value', async () => {
    const answer = await provisionNew({ credentialsType: 'LWM2M_CREDENTIALS', token: 'x' });
    assert.equal(answer, '{"credentialsType":"LWM2M_CREDENTIALS","status":"SUCCESS"}');
  });

  it('only access tokens authorise a request', async () => {
    const core = openQuickCore();
    await provision(core, { credentialsType: 'MQTT_BASIC', username: 'u' });
    assert.deepEqual(await core.checkToken('u'), { status: 'unauthorized' });
  });

  const impossible: readonly (readonly [what: string, members: Members])[] = [
    ['a name of 256 characters', { deviceName: 'x'.repeat(256) }],
    ['a name with HTML', { deviceName: 'gw <b>1</b>' }],
    ['a name with a template', { deviceName: 'gw {{1}}' }],
    ['a null character in the name', { deviceName: 'gw\u00001' }],
    ['a control character in the token', { deviceName: 'gw', token: 'a\nb' }],
  ];
  for (const [what, members] of impossible) {
    it(`FAILURE for ${what}`, async () => assert.equal(await provisionNew(members), FAILURE));
  }

  for (const [what, deviceName] of [
    ['of 255 characters', 'x'.repeat(255)],
    ['with a line break', 'gw\n1'],
    ['with a control character', 'gw\u00011'],
    ['with a lone <', 'gw < 1'],
  ] as const) {
    it(`a name ${what} is accepted`, async () => {
      assert.match(await provisionNew({ deviceName }), /SUCCESS/);
    });
  }

  it('the device limit gives FAILURE until it is lifted', async () => {
    const core = openQuickCore({ knobs: { deviceLimitReached: true } });
    assert.equal(await provision(core, { deviceName: 'gw' }), FAILURE);
    core.admin.updateKnobs({ deviceLimitReached: false });
    assert.match(await provision(core, { deviceName: 'gw' }), /SUCCESS/);
  });

  it('one of two concurrent requests for a name succeeds', async () => {
    const core = openQuickCore();
    const answers = await Promise.all([
      provision(core, { deviceName: 'gw' }),
      provision(core, { deviceName: 'gw' }),
    ]);
    assert.deepEqual(answers.map((answer) => answer === FAILURE).sort(), [false, true]);
  });
});

describe('a slow core', () => {
  it('a slow core answers after the latency', async () => {
    const clock = new ManualClock();
    const core = openQuickCore({ clock, knobs: { coreLatencyMinMs: 600, coreLatencyMaxMs: 600 } });
    const asking = provision(core, { deviceName: 'gw' });
    await clock.advance(599);
    assert.equal(clock.sleeping, 1);
    await clock.advance(1);
    assert.match(await asking, /SUCCESS/);
  });

  it('a core slower than 10 s loses the answer, but not the device', async () => {
    const clock = new ManualClock();
    const core = openQuickCore({ clock, knobs: { coreLatencyMinMs: 11_000, coreLatencyMaxMs: 11_000 } });
    const asking = provision(core, { deviceName: 'gw' });
    await clock.advance(10_000);
    assert.equal(await asking, 'unavailable');
    assert.equal(core.admin.devices().length, 1);
  });

  it('a core slower than 10 s makes the token check unavailable', async () => {
    const clock = new ManualClock();
    const core = openQuickCore({ clock, knobs: { coreLatencyMinMs: 11_000, coreLatencyMaxMs: 11_000 } });
    const checking = core.checkToken('any');
    await clock.advance(10_000);
    assert.deepEqual(await checking, { status: 'unavailable' });
  });
});
