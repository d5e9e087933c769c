/** The start of the helper program, with other programs in its place. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import { type HelperEnd, helperPaths, helperStarter } from '../../../src/transport/dtls/helper-process.ts';

const PACKAGED = '/usr/libexec/firstlight/firstlight-dtls';

/** How the program ends that is started instead of the helper. */
function endOf(path: string, closeAtOnce = false): Promise<HelperEnd> {
  return new Promise((resolve) => {
    const channel = helperStarter([path], hostClock())({ onBytes: () => {}, onEnd: resolve });
    if (closeAtOnce) channel.close();
  });
}

describe('the helper program', () => {
  it('is that of the package, else the one beside the program or in dist/', () => {
    assert.deepEqual(helperPaths({}, '/usr/lib/firstlight/code'), [
      PACKAGED,
      '/usr/lib/firstlight/code/firstlight-dtls',
      '/usr/lib/firstlight/firstlight-dtls',
    ]);
    assert.equal(helperPaths({}, '/home/me/dist/src/transport/dtls').at(-1), '/home/me/dist/firstlight-dtls');
    assert.deepEqual(helperPaths({ FIRSTLIGHT_DTLS: '/x' }), ['/x']);
    assert.ok(helperPaths({}).at(-1)?.endsWith('/dist/firstlight-dtls'));
  });

  it('that does not exist or is no program is missing', async () => {
    for (const path of ['/nowhere/firstlight-dtls', join(process.cwd(), 'package.json')]) {
      const { isMissing, detail } = await endOf(path);
      assert.deepEqual([isMissing, detail], [true, `${path} is not installed`]);
    }
  });

  it('that ends is reported with its exit code and its first complaint', async () => {
    assert.equal((await endOf('/bin/false')).detail, '/bin/false ended with code 1');
    const { isMissing, detail } = await endOf('/bin/ls');
    assert.deepEqual([isMissing, detail], [false, '/bin/ls ended with code 0']);
  });

  it('that ignores the end of its channel is killed', { timeout: 10_000 }, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'firstlight-helper-'));
    const path = join(directory, 'sleeper');
    writeFileSync(path, '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    assert.equal((await endOf(path, true)).detail, `${path} was ended by SIGKILL`);
    rmSync(directory, { recursive: true });
  });
});
