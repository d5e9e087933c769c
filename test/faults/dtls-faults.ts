/** Faults of coaps: the same as those of https where the cause is the same, and those of the helper program. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openSandbox } from '../../src/sandbox/sandbox.ts';
import { Authority, type CertificateRequest, type Pem } from '../doubles/certificates.ts';
import { freeUdpPort } from '../free-port.ts';
import {
  coapOf,
  type Fault,
  type FaultSetup,
  NAME,
  openHealthyServer,
  type Place,
  TOKEN,
  toml,
  withToken,
} from './fault.ts';

const ZERO_PIN = Buffer.alloc(32).toString('base64');

function openAuthority(at: Place, name?: string): Authority {
  const authority = new Authority(name);
  at.later(() => authority[Symbol.dispose]());
  return authority;
}

/** A healthy server on coaps with this certificate. Returns its URL. */
async function coapsUrl(at: Place, { certFile, keyFile }: Pem): Promise<string> {
  const sandbox = await openSandbox({
    provisioning: { key: 'k', secret: 's' },
    coaps: { files: { certFile, keyFile } },
  });
  at.later(() => sandbox[Symbol.asyncDispose]());
  sandbox.core.admin.createDevice({ name: NAME, token: TOKEN });
  return `coaps://localhost:${sandbox.coaps?.port}`;
}

/** A gateway that trusts the issuer, at a server whose certificate is as asked for. */
async function atServer(at: Place, asked: CertificateRequest = {}, server = ''): Promise<string> {
  const authority = openAuthority(at);
  const url = await coapsUrl(at, authority.issue(asked));
  return withToken(url, { server: `ca-file = "${authority.pem.certFile}"\n${server}` });
}

const fault = (
  name: string,
  event: Fault['event'],
  same: string | undefined,
  make: Fault['make'],
  more: Partial<Fault> = {},
): Fault => ({
  name,
  event,
  doctor: 'DTLS handshake',
  needs: 'the programs for DTLS',
  make,
  ...(same !== undefined && { same }),
  ...more,
});

const SAME = 'the same cause, over coaps';

export const DTLS_FAULTS: readonly Fault[] = [
  fault(
    'certificate expired, over coaps',
    'FL-CERTIFICATE-DATE-INVALID',
    SAME,
    (at) => atServer(at, { from: '20200101000000Z', to: '20210101000000Z' }),
    { message: 'to 2021-01-01' },
  ),
  fault(
    'certificate not valid yet, over coaps',
    'FL-CLOCK-WRONG',
    'CoAP has no clock of the server to compare, and a clock that is behind is more likely',
    (at) => atServer(at, { from: '20400101000000Z', to: '20410101000000Z' }),
  ),
  fault(
    'certificate for another name, over coaps',
    'FL-CERTIFICATE-NAME-MISMATCH',
    SAME,
    (at) => atServer(at, { names: 'DNS:other.example' }),
    { message: 'other.example' },
  ),
  fault(
    'certificate of an unknown issuer, over coaps',
    'FL-CERTIFICATE-UNTRUSTED',
    SAME,
    async (at) => {
      const url = await coapsUrl(at, openAuthority(at, 'Somebody Else').issue());
      return withToken(url, { server: `ca-file = "${openAuthority(at).pem.certFile}"` });
    },
    { message: 'Somebody Else' },
  ),
  fault('key of the server is not the pinned one, over coaps', 'FL-CERTIFICATE-PIN-MISMATCH', SAME, (at) =>
    atServer(at, {}, `pin-sha256 = "${ZERO_PIN}"`),
  ),
  fault(
    'client certificate of no device, over coaps',
    'FL-CLIENT-CERTIFICATE-REJECTED',
    undefined,
    async (at) => {
      const authority = openAuthority(at);
      const url = await coapsUrl(at, authority.issue());
      const client = authority.issue();
      const files = `ca-file = "${authority.pem.certFile}"\ncert-file = "${client.certFile}"\nkey-file = "${client.keyFile}"`;
      return toml(url, { server: files, provisioning: '' });
    },
    { message: 'no device has this client certificate', doctor: 'client certificate' },
  ),
  fault('no cipher in common, over coaps', 'FL-TLS-VERSION-MISMATCH', SAME, async (at) => {
    const authority = openAuthority(at);
    const port = await openWeakServer(at, authority.issue());
    return withToken(`coaps://localhost:${port}`, { server: `ca-file = "${authority.pem.certFile}"` });
  }),
  fault('coaps port closed', 'FL-PORT-CLOSED', SAME, async () => withToken('coaps://127.0.0.1:9')),
  fault(
    'coap server at the port of coaps',
    'FL-SERVER-TIMEOUT',
    undefined,
    async (at) => withToken(coapOf(await openHealthyServer(at)).replace('coap:', 'coaps:')),
    { message: 'no DTLS handshake within 20 s', isSlow: true },
  ),
  fault(
    'package for coaps not installed',
    'FL-DTLS-UNAVAILABLE',
    undefined,
    async (): Promise<FaultSetup> => ({
      config: withToken('coaps://127.0.0.1'),
      environment: { FIRSTLIGHT_DTLS: '/nowhere/firstlight-dtls' },
    }),
    { message: '/nowhere/firstlight-dtls is not installed' },
  ),
  fault(
    'program for coaps does not run',
    'FL-DTLS-UNAVAILABLE',
    undefined,
    async (): Promise<FaultSetup> => ({
      config: withToken('coaps://127.0.0.1'),
      environment: { FIRSTLIGHT_DTLS: '/bin/false' },
    }),
    { message: '/bin/false ended with code 1' },
  ),
  fault(
    'package for coaps of another version',
    'FL-DTLS-VERSION-MISMATCH',
    undefined,
    async (at): Promise<FaultSetup> => ({
      config: withToken('coaps://127.0.0.1'),
      environment: { FIRSTLIGHT_DTLS: await otherHelper(at) },
    }),
    { message: 'firstlight-dtls 9.8.7 speaks protocol 99' },
  ),
];

/** A helper of another version. Returns its path. */
async function otherHelper({ path }: Place): Promise<string> {
  const program = join(path, 'firstlight-dtls');
  const commands = '#!/bin/sh\necho "firstlight-dtls 9.8.7 speaks protocol 99" >&2\nexit 3\n';
  await writeFile(program, commands, { mode: 0o755 });
  return program;
}

/** A server of DTLS 1.2 that only has suites without forward secrecy. Returns its port. */
async function openWeakServer({ later }: Place, { certFile, keyFile }: Pem): Promise<number> {
  const port = await freeUdpPort();
  const suites = ['-cipher', 'AES128-SHA256:AES256-SHA256', '-accept', `127.0.0.1:${port}`];
  const child = spawn('openssl', ['s_server', '-dtls1_2', ...suites, '-cert', certFile, '-key', keyFile], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  later(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return port;
}
