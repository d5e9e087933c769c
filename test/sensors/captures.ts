/** Captures a host with scripts/capture-host.sh, and samples the capture. */

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Values } from '../../src/core/model/reading.ts';
import { collectors } from '../../src/sensors/catalogue.ts';
import { Trace, type TracedQuery } from '../../src/sensors/explain/trace.ts';
import { type HostFiles, openHostFiles } from '../../src/sensors/files/host-files.ts';
import { openSampler } from '../../src/sensors/sampler.ts';
import { VirtualClock } from '../doubles/virtual-clock.ts';
import { RecordingSensorLogger } from './helpers/captured-host.ts';

export const SCRIPT = join(process.cwd(), 'scripts/capture-host.sh');

export const HOSTS = join(process.cwd(), 'test/fixtures/hosts');

export async function capture(
  t: TestContext,
  options: readonly string[],
  environment: Readonly<Record<string, string>> = {},
) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-capture-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const archive = join(folder, 'capture.tar.gz');
  const { stdout } = await promisify(execFile)('sh', [SCRIPT, '--out', archive, ...options], {
    env: { ...process.env, ...environment },
  });
  const root = join(folder, 'host');
  mkdirSync(root);
  execFileSync('tar', ['-C', root, '-xzf', archive]);
  return { root, archive, stdout };
}

/**
 * All paths below `folder`, and the text of all files. From Node 22 on, a recursive readdirSync follows
 * links, and /sys has circles of them.
 */
export function everythingIn(folder: string, within = ''): string {
  return readdirSync(join(folder, within), { withFileTypes: true })
    .map((entry) => {
      const path = join(within, entry.name);
      if (entry.isDirectory()) return everythingIn(folder, path);
      return entry.isFile() ? `${path}\n${readFileSync(join(folder, path), 'latin1')}` : `${path}\n`;
    })
    .join('');
}

/** Text the script replaces in paths, and so in keys: MAC addresses and serial numbers of 1-Wire devices. */
const SERIAL_NUMBER = /(28|10|22|3b|42)-[0-9a-f]{12}|[0-9a-f]{12}/i;

/** The values of the second sample, and every path of /proc and /sys that a sensor could read. */
export async function sampleHost(root: string): Promise<{ values: Values; paths: readonly string[] }> {
  const trace = new Trace();
  const half = { bsize: 4096, blocks: 1000, bfree: 500, bavail: 300, files: 100, ffree: 75 };
  const hostFiles: HostFiles = { ...openHostFiles(root), usage: async () => half };
  const clock = new VirtualClock();
  const sampler = openSampler(collectors, trace.wrap(hostFiles), clock, new RecordingSensorLogger());
  trace.startRound();
  await sampler.sample();
  await clock.advance(10_000);
  trace.startRound();
  const values = await sampler.sample();
  const paths = trace.rounds
    .flat()
    .filter(exists)
    .map(({ path }) => path);
  return { values, paths: [...new Set(paths)].toSorted() };
}

function exists({ kind, result }: TracedQuery): boolean {
  if (kind === 'usage') return false;
  return result.type === 'existence' ? result.exists : result.type !== 'error';
}

/** The values that the script does not replace, by their keys if these contain no serial number. */
function numbers(values: Values): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) => `${SERIAL_NUMBER.test(key) ? 'a device' : key} ${value}`)
    .toSorted();
}

/** Fails if a sensor reads a path that is not in the list of the script. */
export function testCaptureOf(name: string): void {
  it(`a capture of ${name} gives the same values from the same paths`, async (t) => {
    const whole = await sampleHost(join(HOSTS, name));
    const captured = await sampleHost((await capture(t, ['--root', join(HOSTS, name)])).root);
    const missing = whole.paths.filter((path) => !captured.paths.includes(path) && !SERIAL_NUMBER.test(path));
    assert.deepEqual(missing, [], 'read by a sensor, and not in the list of capture-host.sh');
    assert.deepEqual(numbers(captured.values), numbers(whole.values));
  });
}
