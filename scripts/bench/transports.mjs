/** The cost of a post over each transport (run-transports.mjs); needs root, for a network namespace, and openssl. */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';

const SHARE_MAX = 0.4;
const DTLS_SHARE_MAX = 0.45;
const dist = join(import.meta.dirname, '..', '..', 'dist');

export async function measureTransports() {
  if (spawnSync('unshare', ['-n', 'true']).status !== 0 || spawnSync('openssl', ['version']).status !== 0) {
    return [{ name: 'cost per post by transport: skipped, needs root (unshare -n) and openssl' }];
  }
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  try {
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
    const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile];
    execFileSync('openssl', [...words.split(' '), ...names], { stdio: 'ignore' });
    const hasDtls = ['firstlight-dtls', 'firstlight-dtls-front'].every((name) =>
      existsSync(join(dist, name)),
    );
    const parameters = { certFile, keyFile, ...(hasDtls && { dist }) };
    const transports = await runCompiled('transports', parameters, { under: ['unshare', '-n'] });
    return [
      ...Object.entries(transports).flatMap(([transport, { bytes, packets, cpuMs }]) => [
        {
          name: `${transport}: bytes on the wire per post, both ways, with headers and acknowledgements`,
          value: bytes,
          unit: 'B',
        },
        { name: `${transport}: packets per post, both ways`, value: packets, unit: '' },
        { name: `${transport}: CPU per post`, value: cpuMs, unit: 'ms' },
      ]),
      {
        name: 'bytes, CoAP : HTTPS',
        value: transports.CoAP.bytes / transports.HTTPS.bytes,
        unit: 'x',
        max: SHARE_MAX,
      },
      ...(hasDtls ? dtlsRows(transports) : [{ name: 'coaps: skipped, needs gcc and libssl-dev' }]),
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function dtlsRows({ coaps, HTTPS }) {
  const { helper } = coaps;
  const handshake = (kind, { bytes, cpuMs }) => [
    { name: `coaps: bytes of a ${kind} handshake, both ways, with headers`, value: bytes, unit: 'B' },
    { name: `coaps: CPU of the helper for a ${kind} handshake`, value: cpuMs, unit: 'ms' },
  ];
  return [
    { name: 'bytes, coaps : HTTPS', value: coaps.bytes / HTTPS.bytes, unit: 'x', max: DTLS_SHARE_MAX },
    { name: 'coaps: CPU of the helper per post', value: coaps.helperCpuMs, unit: 'ms' },
    ...handshake('full', helper.full),
    ...handshake('resumed', helper.resumed),
    { name: 'coaps: RSS of the helper', value: helper.rssMib, unit: 'MiB' },
    { name: 'coaps: private memory of the helper', value: helper.privateMib, unit: 'MiB' },
  ];
}
