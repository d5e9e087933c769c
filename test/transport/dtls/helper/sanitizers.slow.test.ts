/**
 * The DTLS helper built with address and undefined-behaviour sanitizers: its own tests, and random changes to its two inputs.
 * FUZZ_INPUTS and FUZZ_SEED choose others.
 */

import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { PROJECT } from '../../../paths.ts';
import { frontProblem } from './peers/helper-process.ts';

const INPUTS = process.env['FUZZ_INPUTS'] ?? '200000';
const SEED = process.env['FUZZ_SEED'] ?? '7';
const SUITES = ['frames', 'certificates', 'attacks', 'libcoap'];

interface CompileC {
  readonly SANITIZED: readonly string[];
  compileC(source: string, program: string, flags: readonly string[]): string | undefined;
}

describe('the DTLS helper with sanitizers', { skip: frontProblem, timeout: 800_000 }, () => {
  let directory: string;
  let program: string;
  let fuzzer: string;
  let problem: string | undefined;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'firstlight-sanitizers-'));
    [program, fuzzer] = [join(directory, 'helper'), join(directory, 'fuzz')];
    const { compileC, SANITIZED } = (await import(join(PROJECT, 'scripts/lib/compile-c.mjs'))) as CompileC;
    const helper = join(PROJECT, 'src/transport/dtls/helper/firstlight-dtls.c');
    const target = join(PROJECT, 'test/transport/dtls/helper/fuzz.c');
    problem = compileC(helper, program, SANITIZED) ?? compileC(target, fuzzer, SANITIZED);
  });

  after(() => rmSync(directory, { recursive: true, force: true }));

  for (const suite of SUITES) {
    it(`passes the tests of ${suite}`, async (context) => {
      if (problem !== undefined) return context.skip(problem);
      const { NODE_TEST_CONTEXT: _, ...environment } = process.env;
      const file = join(import.meta.dirname, `${suite}.test.js`);
      const { stdout } = await promisify(execFile)(
        process.execPath,
        ['--test', '--test-reporter=tap', file],
        {
          env: { ...environment, FIRSTLIGHT_DTLS: program },
          maxBuffer: 16 * 1024 * 1024,
        },
      );
      assert.match(stdout, /^# pass [1-9]/m);
    });
  }

  it(`survives ${INPUTS} changed streams and datagrams`, (context) => {
    if (problem !== undefined) return context.skip(problem);
    const { status, stdout, stderr } = spawnSync(fuzzer, [INPUTS, SEED], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    context.diagnostic(stdout.trim());
    const [, ups, ends, messages, broken] =
      /: (\d+) links up, (\d+) failed or ended, (\d+) messages, (\d+) broken streams/.exec(stdout) ?? [];
    for (const reached of [ups, ends, messages, broken]) assert.ok(Number(reached) > 0, stdout);
  });
});
