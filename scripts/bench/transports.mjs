/** The cost of a post over each transport (run-transports.mjs); needs root, for a network namespace, and openssl. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';

const SHARE_MAX = 0.4;

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
    const transports = await runCompiled('transports', { certFile, keyFile }, { under: ['unshare', '-n'] });
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
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
