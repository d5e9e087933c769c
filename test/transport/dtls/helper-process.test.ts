/** The start of the helper program, with other programs in its place. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { hostClock } from '../../../src/host/clock/clock.ts';
import {
  HELPER_PROTOCOL,
  type HelperEnd,
  helperPaths,
  helperStarter,
} from '../../../src/transport/dtls/helper-process.ts';
import { PROJECT } from '../../paths.ts';

const PACKAGED = '/usr/libexec/firstlight/firstlight-dtls';

/** The version of Firstlight that brought a protocol: a row for each, so that none goes without its `Breaks`. */
const PROTOCOL_SINCE: Readonly<Record<string, string>> = { 1: '0.1.0' };

/** A directory of programs. */
class ProgramPlace implements Disposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'firstlight-helper-'));
  #count = 0;

  /** Returns its path. */
  program(commands: string): string {
    this.#count += 1;
    const path = join(this.#directory, `program-${this.#count}`);
    writeFileSync(path, `#!/bin/sh\n${commands}\n`, { mode: 0o755 });
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#directory, { recursive: true });
  }
}

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
      assert.deepEqual(await endOf(path), { cause: 'missing', detail: `${path} is not installed` });
    }
  });

  it('that ends is reported with its exit code and its first complaint', async () => {
    assert.equal((await endOf('/bin/false')).detail, '/bin/false ended with code 1');
    assert.deepEqual(await endOf('/bin/true'), { cause: 'ended', detail: '/bin/true ended with code 0' });
  });

  it('of another protocol, or of the time before its versions, is a mismatch', async () => {
    using place = new ProgramPlace();
    const other = place.program('echo "firstlight-dtls 9.8.7 speaks protocol 99" >&2; exit 3');
    assert.deepEqual(await endOf(other), {
      cause: 'mismatch',
      detail: `${other} does not speak protocol 1: firstlight-dtls 9.8.7 speaks protocol 99`,
    });
    const older = place.program(
      'echo "firstlight-dtls: firstlight starts this program and talks to it over file descriptor 3" >&2; exit 2',
    );
    assert.deepEqual(await endOf(older), { cause: 'mismatch', detail: `${older} is older than protocol 1` });
  });

  it('has the protocol of the agent, and packages that are refused beside an older one', () => {
    const source = (path: string) => readFileSync(join(PROJECT, path), 'utf8');
    const helper = source('src/transport/dtls/helper/firstlight-dtls.c');
    assert.equal(/^#define PROTOCOL "(\d+)"$/m.exec(helper)?.[1], HELPER_PROTOCOL);
    const since = PROTOCOL_SINCE[HELPER_PROTOCOL];
    assert.match(
      source('scripts/package/control'),
      new RegExp(`^Breaks: firstlight-dtls \\(<< ${since}\\)$`, 'm'),
    );
    assert.match(
      source('scripts/package/control-dtls'),
      new RegExp(`^Breaks: firstlight \\(<< ${since}\\)$`, 'm'),
    );
  });

  it('that ignores the end of its channel is killed', { timeout: 10_000 }, async () => {
    using place = new ProgramPlace();
    const path = place.program('exec sleep 60');
    assert.equal((await endOf(path, true)).detail, `${path} was ended by SIGKILL`);
  });
});
