/** What a post costs over each road (run-roads.mjs); needs root, for a network namespace of its own, and openssl. */

import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';

const SHARE_MAX = 0.4;

export async function measureRoads() {
  if (spawnSync('unshare', ['-n', 'true']).status !== 0 || spawnSync('openssl', ['version']).status !== 0) {
    return [{ name: 'bytes per post by road: skipped, it needs root (unshare -n) and openssl' }];
  }
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const [certFile, keyFile] = [join(directory, 'cert.pem'), join(directory, 'key.pem')];
  try {
    const words =
      'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
    const names = ['-addext', 'subjectAltName=DNS:localhost', '-keyout', keyFile, '-out', certFile];
    execFileSync('openssl', [...words.split(' '), ...names], { stdio: 'ignore' });
    const roads = await runCompiled('roads', { certFile, keyFile }, { under: ['unshare', '-n'] });
    return [
      ...Object.entries(roads).flatMap(([road, { bytes, packets, cpuMs }]) => [
        {
          name: `${road}: bytes on the wire per post, both ways, headers and acknowledgements`,
          value: bytes,
          unit: 'B',
        },
        { name: `${road}: packets per post, both ways`, value: packets, unit: '' },
        { name: `${road}: CPU per post`, value: cpuMs, unit: 'ms' },
      ]),
      {
        name: 'CoAP as a share of HTTPS, bytes',
        value: roads.CoAP.bytes / roads.HTTPS.bytes,
        unit: 'x',
        max: SHARE_MAX,
      },
    ];
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
