/**
 * The contract of `Transport`: one result per request, in bounded time; a token is persisted before it is
 * returned; the same response of the server has the same reason on every transport; no secret appears in a
 * failure. `make` starts a sandbox and returns a transport to it.
 */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FailureReason, Result } from '../../src/core/failures/failure.ts';
import { Secret } from '../../src/core/model/secret.ts';
import type { ProvisionRequest, Transport } from '../../src/core/ports/transport.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';

export const PROFILE = { key: 'pk1', secret: 'ps1-not-to-be-seen' };

export interface ServerUnderTest extends AsyncDisposable {
  readonly sandbox: Sandbox;
  /** A transport with timeouts of about one second, longer where a busy machine needs more for a TLS handshake. */
  open(onRoundTrip?: (roundTripMs: number) => void): Transport;
}

const PASSWORD = 'an-mqtt-password-not-to-be-seen';
const TOKEN = new Secret('sLzc0gDAZPkGMzFVTyUY');
const never = new AbortController().signal;
const ignoreToken = async () => {};
const request: ProvisionRequest = {
  deviceName: 'gw-1',
  key: PROFILE.key,
  secret: new Secret(PROFILE.secret),
};
const BODY = '[{"ts":1700000000000,"values":{"cpu":12.5}}]';
const TIMEOUTS: readonly FailureReason[] = ['server-timeout', 'no-response-after-ack'];
const timeout = 20_000;

/** Creates a pre-provisioned device with the credentials that a request with `more` asks for. */
async function preProvision({ core, setKnobs }: Sandbox, more: object): Promise<void> {
  const body = {
    deviceName: 'gw-1',
    provisionDeviceKey: PROFILE.key,
    provisionDeviceSecret: PROFILE.secret,
  };
  const { status } = await core.provision(JSON.stringify({ ...body, ...more }), 'http');
  assert.equal(status, 'answered');
  assert.ok(core.admin.clearProvisionState('gw-1').ok);
  setKnobs({ strategy: 'pre-provisioned' });
}

function reasonOf(result: Result<unknown>): FailureReason | 'ok' {
  return result.ok ? 'ok' : result.failure.reason;
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
  // Each test has its own server and mostly waits for timeouts.
  const options = { skip, concurrency: 4 };
  describe(`${name} keeps the transport contract: provisioning`, options, () => provisioning(make));
  describe(`${name} keeps the transport contract: posts and probes`, options, () => postsAndProbes(make));
  describe(`${name} keeps the transport contract: failures`, options, () => failures(make));
}

function provisioning(make: () => Promise<ServerUnderTest>): void {
  it('provision persists a proposed token before it returns it', { timeout }, async () => {
    await using server = await make();
    await using endpoint = server.open();
    const reported: string[] = [];
    const persist = async (token: Secret) => void reported.push(`persisted ${token.reveal()}`);
    const result = await endpoint.provision({ ...request, token: TOKEN }, persist, never);
    reported.push(result.ok ? `issued ${result.value.reveal()}` : result.failure.reason);
    assert.deepEqual(reported, [`persisted ${TOKEN.reveal()}`, `issued ${TOKEN.reveal()}`]);
    assert.deepEqual(
      server.sandbox.devices().map(({ name, token }) => [name, token]),
      [['gw-1', TOKEN.reveal()]],
    );
  });

  it('provision persists and returns a token that the server generated', { timeout }, async () => {
    await using server = await make();
    await using endpoint = server.open();
    let persisted: Secret | undefined;
    const persist = async (token: Secret) => {
      persisted = token;
    };
    const result = await endpoint.provision(request, persist, never);
    const [device] = server.sandbox.devices();
    assert.equal(result.ok && result.value.reveal(), device?.token);
    assert.equal(persisted?.reveal(), device?.token);
  });

  it('provision rejects if the token cannot be persisted', { timeout }, async () => {
    await using server = await make();
    await using endpoint = server.open();
    const full = new Error('disk full');
    await assert.rejects(
      endpoint.provision(request, () => Promise.reject(full), never),
      full,
    );
  });

  for (const [what, more, knobs, reason] of [
    ['a wrong secret', { secret: new Secret('another') }, {}, 'provisioning-key-unknown'],
    ['a wrong key', { key: 'another' }, {}, 'provisioning-key-unknown'],
    ['a profile without provisioning', {}, { strategy: 'disabled' }, 'provisioning-key-unknown'],
    ['a name that is taken', { deviceName: 'taken' }, {}, 'provisioning-declined'],
    ['a tenant at its limit', {}, { deviceLimitReached: true }, 'provisioning-declined'],
  ] as const) {
    it(`${what} fails as ${reason} and persists nothing`, { timeout }, async () => {
      await using server = await make();
      server.sandbox.core.admin.createDevice({ name: 'taken' });
      server.sandbox.setKnobs(knobs);
      await using endpoint = server.open();
      let isPersisted = false;
      const persist = async () => {
        isPersisted = true;
      };
      assert.equal(reasonOf(await endpoint.provision({ ...request, ...more }, persist, never)), reason);
      assert.equal(isPersisted, false);
    });
  }

  for (const [type, more, isReported] of [
    ['MQTT_BASIC', { username: 'u', password: PASSWORD }, PASSWORD],
    ['X509_CERTIFICATE', { hash: 'MIIBcertificate' }, 'MIIBcertificate'],
    ['LWM2M_CREDENTIALS', { token: 'x' }, 'x"'],
  ] as const) {
    it(`a device with ${type} fails and its credentials are neither stored nor shown`, {
      timeout,
    }, async () => {
      await using server = await make();
      await preProvision(server.sandbox, { credentialsType: type, ...more });
      await using endpoint = server.open();
      let isPersisted = false;
      const persist = async () => {
        isPersisted = true;
      };
      const result = await endpoint.provision(request, persist, never);
      assert.deepEqual(result, {
        ok: false,
        failure: { reason: 'credentials-type-unsupported', detail: `credentialsType ${type}` },
      });
      assert.equal(isPersisted, false);
      assert.ok(!JSON.stringify(result).includes(isReported));
    });
  }

  it('a probe of the proposed token recovers from a lost response', {
    timeout,
  }, async () => {
    await using server = await make();
    server.sandbox.setKnobs({ silent: true });
    await using endpoint = server.open();
    const lost = await endpoint.provision({ ...request, token: TOKEN }, ignoreToken, never);
    assert.ok(TIMEOUTS.includes(reasonOf(lost) as FailureReason), reasonOf(lost));
    server.sandbox.setKnobs({ silent: false });
    assert.deepEqual(await endpoint.probe(TOKEN, never), { ok: true, value: true });
    assert.equal(
      reasonOf(await endpoint.provision({ ...request, token: TOKEN }, ignoreToken, never)),
      'provisioning-declined',
    );
    assert.equal(server.sandbox.devices().length, 1);
  });
}

function postsAndProbes(make: () => Promise<ServerUnderTest>): void {
  it('telemetry is stored with its timestamp, and twice as the same point', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
    const points = server.sandbox.points({ device: 'gw-1', key: 'cpu' });
    assert.deepEqual([...new Set(points.map(({ ts, value }) => `${ts} ${value}`))], ['1700000000000 12.5']);
  });

  it('responses measure the round trip, a timeout does not', { timeout }, async () => {
    await using server = await withDevice(make);
    const roundTripsMs: number[] = [];
    await using endpoint = server.open((ms) => roundTripsMs.push(ms));
    const startedMs = performance.now();
    // A retransmitted request is not measured, which happens on a busy machine.
    for (let posts = 1; roundTripsMs.length < 3; posts += 1) {
      assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
      assert.ok(roundTripsMs.length <= posts && posts < 50, `${roundTripsMs.length} of ${posts}`);
    }
    const elapsedMs = performance.now() - startedMs;
    assert.ok(roundTripsMs.every((ms) => ms > 0));
    const sumMs = roundTripsMs.reduce((sum, ms) => sum + ms, 0);
    assert.ok(sumMs <= elapsedMs, `${sumMs} of ${elapsedMs}`);
    server.sandbox.setKnobs({ silent: true });
    assert.ok(TIMEOUTS.includes(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)) as FailureReason));
    assert.equal(roundTripsMs.length, 3);
  });

  it('attributes are stored', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    assert.equal(reasonOf(await endpoint.postAttributes(TOKEN, '{"model":"Pi"}', never)), 'ok');
    assert.equal(server.sandbox.devices()[0]?.attributes.client['model'], 'Pi');
  });

  it('four concurrent posts and a hundred sequential posts all arrive', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    const post = (ts: number) => endpoint.postTelemetry(TOKEN, `[{"ts":${ts},"values":{"n":${ts}}}]`, never);
    assert.deepEqual((await Promise.all([1, 2, 3, 4].map(post))).map(reasonOf), Array(4).fill('ok'));
    for (let ts = 5; ts <= 104; ts += 1) assert.equal(reasonOf(await post(ts)), 'ok');
    assert.equal(server.sandbox.points({ key: 'n' }).length, 104);
  });

  it('a probe distinguishes a known token from an unknown one', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    assert.deepEqual(await endpoint.probe(TOKEN, never), { ok: true, value: true });
    assert.deepEqual(await endpoint.probe(new Secret('foreign'), never), { ok: true, value: false });
    await endpoint.postAttributes(TOKEN, '{"firstlightProbe":1}', never);
    assert.deepEqual(await endpoint.probe(TOKEN, never), { ok: true, value: true });
  });

  it('an unknown token, a malformed body and an overload are distinguished', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    assert.equal(reasonOf(await endpoint.postTelemetry(new Secret('foreign'), BODY, never)), 'unauthorized');
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, '[1]', never)), 'request-malformed');
    assert.equal(reasonOf(await endpoint.postAttributes(TOKEN, '{', never)), 'request-malformed');
    server.sandbox.setKnobs({ rateLimited: true });
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'server-overloaded');
    server.sandbox.setKnobs({ rateLimited: false });
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
  });
}

function failures(make: () => Promise<ServerUnderTest>): void {
  it('a request without a response times out, and the next one succeeds', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    for (const knob of ['silent', 'dead'] as const) {
      server.sandbox.setKnobs({ [knob]: true });
      const reason = reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never));
      assert.ok(TIMEOUTS.includes(reason as FailureReason), reason);
      server.sandbox.setKnobs({ [knob]: false });
      assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
    }
  });

  it('requests succeed after restarts of the server', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    for (let restarts = 0; restarts < 3; restarts += 1) {
      assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
      server.sandbox.restart();
    }
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never)), 'ok');
  });

  it('a stopped server is a failure, not an exception', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    await server[Symbol.asyncDispose]();
    const reason = reasonOf(await endpoint.postTelemetry(TOKEN, BODY, never));
    assert.ok(['port-closed', 'connection-reset', ...TIMEOUTS].includes(reason), reason);
  });

  it('an abort ends a request at once, before and during it', { timeout }, async () => {
    await using server = await withDevice(make);
    server.sandbox.setKnobs({ dead: true });
    await using endpoint = server.open();
    assert.equal(reasonOf(await endpoint.postTelemetry(TOKEN, BODY, AbortSignal.abort())), 'aborted');
    const stop = new AbortController();
    const requested = endpoint.probe(TOKEN, stop.signal);
    stop.abort();
    assert.equal(reasonOf(await requested), 'aborted');
  });

  it('disposal ends open and later requests', { timeout }, async () => {
    await using server = await withDevice(make);
    server.sandbox.setKnobs({ dead: true });
    const endpoint = server.open();
    const requested = endpoint.postTelemetry(TOKEN, BODY, never);
    await endpoint[Symbol.asyncDispose]();
    assert.notEqual(reasonOf(await requested), 'ok');
  });

  it('no failure contains the token, the secret or an echo of the server', { timeout }, async () => {
    await using server = await withDevice(make);
    await using endpoint = server.open();
    const proposed = { ...request, token: TOKEN };
    const results = [
      await endpoint.provision(proposed, ignoreToken, never),
      await endpoint.provision({ ...proposed, deviceName: ' ' }, ignoreToken, never),
      await endpoint.postTelemetry(TOKEN, `[${TOKEN.reveal()}]`, never),
      await endpoint.postTelemetry(new Secret('another-secret-token'), BODY, never),
    ];
    server.sandbox.setKnobs({ silent: true });
    results.push(
      await endpoint.postTelemetry(TOKEN, BODY, never),
      await endpoint.provision(proposed, ignoreToken, never),
    );
    await server[Symbol.asyncDispose]();
    results.push(await endpoint.postTelemetry(TOKEN, BODY, never));
    for (const result of results) {
      assert.equal(result.ok, false);
      assert.doesNotMatch(JSON.stringify(result), /sLzc0gDAZPkGMzFVTyUY|another-secret|not-to-be-seen/);
    }
  });
}
