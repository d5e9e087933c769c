/**
 * Runs a program of the bench that uses the agent's own modules: compiled from the sources as the bundle is, in a process
 * with the flags of the agent. Such a program is a file run-*.mjs here; it reads its parameters and prints one JSON value.
 */

import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { flagsOfTheUnit } from './programs.mjs';

/** Some libraries are CommonJS; an ES module has no require. */
const REQUIRE =
  "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);";
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;

/**
 * `flags` are added to those of the agent. `isQuick` removes those that disable V8's compilers, if CPU time is not measured.
 * `under` is a program with its arguments that runs it (strace). The parameters are passed in a file because they may be long.
 */
export async function runCompiled(name, parameters = {}, { flags = [], isQuick = false, under = [] } = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const outfile = join(directory, `${name}.mjs`);
  const parameterFile = join(directory, 'parameters.json');
  try {
    writeFileSync(parameterFile, JSON.stringify(parameters));
    const common = { bundle: true, platform: 'node', format: 'esm', target: 'node20.19', outfile };
    const entryPoints = [join(import.meta.dirname, `run-${name}.mjs`)];
    await build({ ...common, entryPoints, banner: { js: REQUIRE }, logLevel: 'warning' });
    const usual = flagsOfTheUnit().filter((flag) => !(isQuick && flag.startsWith('--no-')));
    const [program, ...commandLine] = [
      ...under,
      process.execPath,
      ...usual,
      ...flags,
      outfile,
      parameterFile,
    ];
    const { stdout } = await promisify(execFile)(program, commandLine, {
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return JSON.parse(stdout);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
