/** A device whose credentials are a certificate, with the real helper and the sandbox: no path contains a token. */

import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { openSandbox } from '../../../src/sandbox/sandbox.ts';
import { IDLE_MS_MAX } from '../../../src/transport/dtls/socket.ts';
import { Authority } from '../../doubles/certificates.ts';
import { dtlsProblem, openDtls } from './dtls-server.ts';

/** What stands for the certificate; it must not be sent. */
const NO_TOKEN = new Secret('not-to-be-sent');
const never = new AbortController().signal;
const authority = dtlsProblem ? undefined : new Authority();
after(() => authority?.[Symbol.dispose]());

it('a certificate is known to the server, also over a later link from another port', {
  skip: dtlsProblem,
  timeout: 30_000,
}, async () => {
  const [server, device, stranger] = [authority?.issue(), authority?.issue(), authority?.issue()];
  if (!authority || !server || !device || !stranger) return;
  await using sandbox = await openSandbox({
    provisioning: { key: 'k', secret: 's' },
    coaps: { files: server },
  });
  sandbox.core.admin.createDevice({ name: 'gw', token: 'replaced' });
  assert.ok(sandbox.core.admin.setCertificate('gw', device.cert).ok);
  const clock = hostClock();
  let laterMs = 0;
  const open = (client: { readonly cert: string; readonly key: string }) =>
    openDtls(
      {
        port: sandbox.coaps?.port ?? 0,
        tls: { pins: [], ca: authority.pem.cert, client: { cert: client.cert, key: new Secret(client.key) } },
      },
      { clock: { ...clock, monotonicMs: () => clock.monotonicMs() + laterMs } },
    );
  await using transport = open(device);
  const post = (ts: number) => transport.postTelemetry(NO_TOKEN, `[{"ts":${ts},"values":{"a":1}}]`, never);
  assert.deepEqual(await post(1), { ok: true, value: undefined });
  laterMs += IDLE_MS_MAX;
  assert.deepEqual(await post(2), { ok: true, value: undefined });
  assert.deepEqual(sandbox.coaps?.handshakes, { all: 2, resumed: 0 });
  assert.equal(sandbox.points({ device: 'gw' }).length, 2);
  await using other = open(stranger);
  const refused = await other.postTelemetry(NO_TOKEN, '[{"ts":3,"values":{"a":1}}]', never);
  assert.equal(refused.ok || refused.failure.reason, 'client-certificate-rejected');
});
