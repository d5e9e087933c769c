/** Captures with scripts/capture-host.sh, and what the sensors make of them. */

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

export async function capture(t: TestContext, options: readonly string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'firstlight-capture-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const archive = join(folder, 'capture.tar.gz');
  const { stdout } = await promisify(execFile)('sh', [SCRIPT, '--out', archive, ...options]);
  const hostFiles = join(folder, 'tree');
  mkdirSync(hostFiles);
  execFileSync('tar', ['-C', hostFiles, '-xzf', archive]);
  return { hostFiles: hostFiles, archive, stdout };
}

/** Every path below, within, and the text of every file. From Node 22 on, a recursive readdirSync follows links, and /sys has circles of them. */
export function everythingIn(folder: string, within = ''): string {
  return readdirSync(join(folder, within), { withFileTypes: true })
    .map((entry) => {
      const path = join(within, entry.name);
      if (entry.isDirectory()) return everythingIn(folder, path);
      return entry.isFile() ? `${path}\n${readFileSync(join(folder, path), 'latin1')}` : `${path}\n`;
    })
    .join('');
}

/** What the script replaces in paths, and so in keys: MAC addresses and the serial numbers of 1-Wire devices. */
const NAMED_BY_SERIAL = /(28|10|22|3b|42)-[0-9a-f]{12}|[0-9a-f]{12}/i;

/** Two samples, and every path of /proc and /sys at which a sensor found something. */
export async function sampleHost(root: string): Promise<{ values: Values; found: readonly string[] }> {
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
  const found = trace.rounds
    .flat()
    .filter(isThere)
    .map(({ path }) => path);
  return { values, found: [...new Set(found)].toSorted() };
}

function isThere({ kind: question, result: answer }: TracedQuery): boolean {
  if (question === 'usage') return false;
  return answer.type === 'existence' ? answer.exists : answer.type !== 'error';
}

/** The values that no replacement touches, by their keys where these hold no serial number. */
function numbers(values: Values): readonly string[] {
  return Object.entries(values)
    .filter(([, value]) => typeof value !== 'string')
    .map(([key, value]) => `${NAMED_BY_SERIAL.test(key) ? 'a device' : key} ${value}`)
    .toSorted();
}

/** A path that a sensor reads and the script's list does not have makes this fail. */
export function testCaptureOf(name: string): void {
  it(`what is captured of ${name} gives the same values, from the same paths`, async (t) => {
    const whole = await sampleHost(join(HOSTS, name));
    const captured = await sampleHost((await capture(t, ['--root', join(HOSTS, name)])).hostFiles);
    const missing = whole.found.filter(
      (path) => !captured.found.includes(path) && !NAMED_BY_SERIAL.test(path),
    );
    assert.deepEqual(missing, [], 'read by a sensor, and not in the list of capture-host.sh');
    assert.deepEqual(numbers(captured.values), numbers(whole.values));
  });
}
