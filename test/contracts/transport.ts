/**
 * What every `Transport` promises, whatever the road: one request, one result, in bounded time; the issued token is kept before
 * it is spoken of; what the server means comes as the same reason; and no secret is in any refusal.
 *
 * `make` gives a server of its own (the sandbox) and a way to it. `silences` are the reasons by which a road may say that no
 * answer came.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RefusalReason, Result } from '../../src/core/failures/failure.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { ProvisionRequest, Transport } from '../../src/core/ports/transport.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

export const PROFILE = { key: 'pk1', secret: 'ps1-not-to-be-seen' };

export interface ServerUnderTest extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** A transport whose patience is a second or so. */
  open(onRoundTrip?: (roundTripMs: number) => void): Transport;
}

const PASSWORD = 'an-mqtt-password-not-to-be-seen';
const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const never = new AbortController().signal;
const keepNothing = async () => {};
const request: ProvisionRequest = {
  deviceName: 'gw-1',
  key: PROFILE.key,
  secret: new Secret(PROFILE.secret),
};
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';
const SILENCES: readonly RefusalReason[] = ['silent', 'acknowledged-only'];
const timeout = 20_000;

/** A device as an administrator makes it beforehand, with the credentials that a request with `more` would ask for. */
async function preProvision({ core, setKnobs }: Sandbox, more: object): Promise<void> {
  const asked = {
    deviceName: 'gw-1',
    provisionDeviceKey: PROFILE.key,
    provisionDeviceSecret: PROFILE.secret,
  };
  const { status } = await core.provision(JSON.stringify({ ...asked, ...more }), 'http');
  assert.equal(status, 'answered');
  assert.ok(core.admin.clearProvisionState('gw-1').ok);
  setKnobs({ strategy: 'pre-provisioned' });
}

function reasonOf(result: Result<unknown>): RefusalReason | 'ok' {
  return result.ok ? 'ok' : result.refusal.reason;
}

/** A server with one device whose token is TOKEN. */
async function withDevice(make: () => Promise<ServerUnderTest>): Promise<ServerUnderTest> {
  const server = await make();
  server.sandbox.core.admin.createDevice({ name: 'gw-1', token: TOKEN.reveal() });
  return server;
}

export function transportContract(
  name: string,
  make: () => Promise<ServerUnderTest>,
  skip: string | false = false,
): void {
  // Each test has a server of its own; most of the time is waiting for silences.
  const options = { skip, concurrency: 4 };
  describe(`${name} keeps the transport contract: provisioning`, options, () => provisioning(make));
  describe(`${name} keeps the transport contract: posts and probes`, options, () => postsAndProbes(make));
  describe(`${name} keeps the transport contract: when it goes wrong`, options, () => trouble(make));
}

function provisioning(make: () => Promise<ServerUnderTest>): void {
  it('a token of ours is the one issued, and kept before anybody hears of it', { timeout }, async () => {
    await using server = await make();
    await using road = server.open();
    const told: string[] = [];
    const keep = async (token: Secret) => void told.push(`kept ${token.reveal()}`);
    const result = await road.provision({ ...request, token: TOKEN }, keep, never);
    told.push(result.ok ? `issued ${result.value.reveal()}` : result.refusal.reason);
    assert.deepEqual(told, [`kept ${TOKEN.reveal()}`, `issued ${TOKEN.reveal()}`]);
    assert.deepEqual(
      server.sandbox.devices().map(({ name, token }) => [name, token]),
      [['gw-1', TOKEN.reveal()]],
    );
  });

  it('a token of the server is kept and given back as it is', { timeout }, async () => {
    await using server = await make();
    await using road = server.open();
    let kept: Secret | undefined;
    const keep = async (token: Secret) => {
      kept = token;
    };
    const result = await road.provision(request, keep, never);
    const [device] = server.sandbox.devices();
    assert.equal(result.ok && result.value.reveal(), device?.token);
    assert.equal(kept?.reveal(), device?.token);
  });

  it('a token that cannot be kept is the failure of the caller', { timeout }, async () => {
    await using server = await make();
    await using road = server.open();
    const full = new Error('disk full');
    await assert.rejects(
      road.provision(request, () => Promise.reject(full), never),
      full,
    );
  });

  for (const [what, more, knobs, reason] of [
    ['a wrong secret', { secret: new Secret('another') }, {}, 'not-found'],
    ['a wrong key', { key: 'another' }, {}, 'not-found'],
    ['a profile without provisioning', {}, { strategy: 'disabled' }, 'not-found'],
    ['a name that is taken', { deviceName: 'taken' }, {}, 'declined'],
    ['a tenant at its limit', {}, { deviceLimitReached: true }, 'declined'],
  ] as const) {
    it(`${what} is refused as ${reason}, and nothing is kept`, { timeout }, async () => {
      await using server = await make();
      server.sandbox.core.admin.createDevice({ name: 'taken' });
      server.sandbox.setKnobs(knobs);
      await using road = server.open();
      let kept = false;
      const keep = async () => {
        kept = true;
      };
      assert.equal(reasonOf(await road.provision({ ...request, ...more }, keep, never)), reason);
      assert.equal(kept, false);
    });
  }

  for (const [type, more, isSaid] of [
    ['MQTT_BASIC', { username: 'u', password: PASSWORD }, PASSWORD],
    ['X509_CERTIFICATE', { hash: 'MIIBcertificate' }, 'MIIBcertificate'],
    ['LWM2M_CREDENTIALS', { token: 'x' }, 'x"'],
  ] as const) {
    it(`a device with ${type} is refused by that name, and nothing of it is kept or said`, {
      timeout,
    }, async () => {
      await using server = await make();
      await preProvision(server.sandbox, { credentialsType: type, ...more });
      await using road = server.open();
      let kept = false;
      const keep = async () => {
        kept = true;
      };
      const result = await road.provision(request, keep, never);
      assert.deepEqual(result, {
        ok: false,
        refusal: { reason: 'wrong-credentials-type', detail: `credentialsType ${type}` },
      });
      assert.equal(kept, false);
      assert.ok(!JSON.stringify(result).includes(isSaid));
    });
  }

  it('an answer that was lost is found again by asking for the token that was proposed', {
    timeout,
  }, async () => {
    await using server = await make();
    server.sandbox.setKnobs({ silent: true });
    await using road = server.open();
    const lost = await road.provision({ ...request, token: TOKEN }, keepNothing, never);
    assert.ok(SILENCES.includes(reasonOf(lost) as RefusalReason), reasonOf(lost));
    server.sandbox.setKnobs({ silent: false });
    assert.deepEqual(await road.probe(TOKEN, never), { ok: true, value: true });
    assert.equal(
      reasonOf(await road.provision({ ...request, token: TOKEN }, keepNothing, never)),
      'declined',
    );
    assert.equal(server.sandbox.devices().length, 1);
  });
}

function postsAndProbes(make: () => Promise<ServerUnderTest>): void {
  it('telemetry is stored, with its date, and again as the same point', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
    const points = server.sandbox.points({ device: 'gw-1', key: 'cpu' });
    assert.deepEqual([...new Set(points.map(({ ts, value }) => `${ts} ${value}`))], ['1700000000000 12.5']);
  });

  it('answers say how far the server is, and a silence says nothing', { timeout }, async () => {
    await using server = await withDevice(make);
    const heardMs: number[] = [];
    await using road = server.open((ms) => heardMs.push(ms));
    const startedMs = performance.now();
    // One that was repeated says nothing: on a busy machine that is not every one, and on none it is all of them.
    for (let posts = 1; heardMs.length < 3; posts += 1) {
      assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
      assert.ok(heardMs.length <= posts && posts < 50, `${heardMs.length} of ${posts}`);
    }
    const elapsedMs = performance.now() - startedMs;
    assert.ok(heardMs.every((ms) => ms > 0));
    const sumMs = heardMs.reduce((sum, ms) => sum + ms, 0);
    assert.ok(sumMs <= elapsedMs, `${sumMs} of ${elapsedMs}`);
    server.sandbox.setKnobs({ silent: true });
    assert.ok(SILENCES.includes(reasonOf(await road.postTelemetry(TOKEN, BODY, never)) as RefusalReason));
    assert.equal(heardMs.length, 3);
  });

  it('attributes are stored', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    assert.equal(reasonOf(await road.postAttributes(TOKEN, '{"model":"Pi"}', never)), 'ok');
    assert.equal(server.sandbox.devices()[0]?.attributes.client['model'], 'Pi');
  });

  it('four at once all arrive, and a hundred after each other over what is open', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    const post = (ts: number) => road.postTelemetry(TOKEN, `[{"ts":${ts},"values":{"n":${ts}}}]`, never);
    assert.deepEqual((await Promise.all([1, 2, 3, 4].map(post))).map(reasonOf), Array(4).fill('ok'));
    for (let ts = 5; ts <= 104; ts += 1) assert.equal(reasonOf(await post(ts)), 'ok');
    assert.equal(server.sandbox.points({ key: 'n' }).length, 104);
  });

  it('the probe tells our token from a foreign one', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    assert.deepEqual(await road.probe(TOKEN, never), { ok: true, value: true });
    assert.deepEqual(await road.probe(new Secret('foreign'), never), { ok: true, value: false });
    await road.postAttributes(TOKEN, '{"firstlightProbe":1}', never);
    assert.deepEqual(await road.probe(TOKEN, never), { ok: true, value: true });
  });

  it('a foreign token, a broken body and an overload are told apart', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    assert.equal(reasonOf(await road.postTelemetry(new Secret('foreign'), BODY, never)), 'unauthorized');
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, '[1]', never)), 'malformed');
    assert.equal(reasonOf(await road.postAttributes(TOKEN, '{', never)), 'malformed');
    server.sandbox.setKnobs({ rateLimited: true });
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'overloaded');
    server.sandbox.setKnobs({ rateLimited: false });
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
  });
}

function trouble(make: () => Promise<ServerUnderTest>): void {
  it('a silence ends in bounded time, and the next request is none the worse', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    for (const knob of ['silent', 'dead'] as const) {
      server.sandbox.setKnobs({ [knob]: true });
      const reason = reasonOf(await road.postTelemetry(TOKEN, BODY, never));
      assert.ok(SILENCES.includes(reason as RefusalReason), reason);
      server.sandbox.setKnobs({ [knob]: false });
      assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
    }
  });

  it('a restart of the server costs nothing', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    for (let restarts = 0; restarts < 3; restarts += 1) {
      assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
      server.sandbox.restart();
    }
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, never)), 'ok');
  });

  it('a server that is gone is told as such, and by no exception', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    await server[Symbol.asyncDispose]();
    const reason = reasonOf(await road.postTelemetry(TOKEN, BODY, never));
    assert.ok(['port-closed', 'reset', ...SILENCES].includes(reason), reason);
  });

  it('who stops waiting is answered at once, before as within a request', { timeout }, async () => {
    await using server = await withDevice(make);
    server.sandbox.setKnobs({ dead: true });
    await using road = server.open();
    assert.equal(reasonOf(await road.postTelemetry(TOKEN, BODY, AbortSignal.abort())), 'aborted');
    const stop = new AbortController();
    const asked = road.probe(TOKEN, stop.signal);
    stop.abort();
    assert.equal(reasonOf(await asked), 'aborted');
  });

  it('what is open when it is disposed of ends, and so does what is asked later', { timeout }, async () => {
    await using server = await withDevice(make);
    server.sandbox.setKnobs({ dead: true });
    const road = server.open();
    const asked = road.postTelemetry(TOKEN, BODY, never);
    await road[Symbol.asyncDispose]();
    assert.notEqual(reasonOf(await asked), 'ok');
  });

  it('no refusal holds the token, the secret, or what the server echoes', { timeout }, async () => {
    await using server = await withDevice(make);
    await using road = server.open();
    const proposed = { ...request, token: TOKEN };
    const refusals = [
      await road.provision(proposed, keepNothing, never),
      await road.provision({ ...proposed, deviceName: ' ' }, keepNothing, never),
      await road.postTelemetry(TOKEN, `[${TOKEN.reveal()}]`, never),
      await road.postTelemetry(new Secret('another-secret-token'), BODY, never),
    ];
    server.sandbox.setKnobs({ silent: true });
    refusals.push(
      await road.postTelemetry(TOKEN, BODY, never),
      await road.provision(proposed, keepNothing, never),
    );
    await server[Symbol.asyncDispose]();
    refusals.push(await road.postTelemetry(TOKEN, BODY, never));
    for (const result of refusals) {
      assert.equal(result.ok, false);
      assert.doesNotMatch(JSON.stringify(result), /sLzc0gDAZPkGMzFVTyUY|another-secret|not-to-be-seen/);
    }
  });
}
