/** Captures read from their archives: the formats of tar, and archives that are damaged or hostile. */

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { ARCHIVE_BYTES_MAX, openCaptureArchive } from '../../../src/cli/sample/capture-archive.ts';
import type { HostFiles } from '../../../src/sensors/files/host-files.ts';
import { FILES, hostFilesContract, LINKS } from '../../contracts/host-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'firstlight-archive-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const tree = join(folder, 'tree');
/** Longer than the 100 characters of a field. */
const DEEP = `sys/devices/${'platform/'.repeat(14)}temp1_input`;
for (const [path, text] of Object.entries({ ...FILES, [DEEP]: '21000\n' })) {
  mkdirSync(join(tree, dirname(path)), { recursive: true });
  writeFileSync(join(tree, path), text);
}
mkdirSync(join(tree, 'sys/class/net'), { recursive: true });
const DEEP_LINK = `../../devices/${'platform/'.repeat(14)}`;
for (const [path, target] of Object.entries({ ...LINKS, 'sys/class/deep': DEEP_LINK.slice(3) }))
  symlinkSync(target, join(tree, path));

function pack(options: readonly string[] = [], path = '.'): Buffer {
  const archive = join(folder, 'archive');
  execFileSync('tar', ['-C', tree, ...options, '-cf', archive, path]);
  return readFileSync(archive);
}

function open(bytes: Buffer): HostFiles {
  return openCaptureArchive(bytes) ?? assert.fail('the archive was not read');
}

const packed = pack(['-z']);
hostFilesContract('the files of an archive', () => open(packed), { hasUsage: false });

for (const format of ['gnu', 'pax', 'oldgnu']) {
  it(`an archive of the format ${format} keeps long names and links`, () => {
    const files = open(pack([`--format=${format}`]));
    assert.equal(files.read(DEEP), '21000\n');
    assert.equal(files.read('sys/class/deep/temp1_input'), '21000\n');
    assert.equal(files.read('sys/class/net/eth0/flags'), '0x1003\n');
  });
}

it('an archive of the format ustar keeps names of two fields', () => {
  assert.equal(open(pack(['--format=ustar'], 'sys/devices')).read(DEEP), '21000\n');
});

it('no part of an archive is read as a whole one', () => {
  const tar = pack();
  for (const share of [0, 0.1, 0.5, 0.9]) {
    assert.equal(openCaptureArchive(tar.subarray(0, share * tar.length)), undefined, `${share} of a tar`);
    assert.equal(
      openCaptureArchive(packed.subarray(0, share * packed.length)),
      undefined,
      `${share} of a tar.gz`,
    );
  }
  const damaged = Buffer.from(tar);
  damaged.writeUInt8(0x41, 1);
  assert.equal(openCaptureArchive(damaged), undefined, 'a wrong checksum');
  assert.equal(openCaptureArchive(Buffer.alloc(10_240)), undefined, 'an empty archive');
  assert.equal(openCaptureArchive(Buffer.from('a text\n'.repeat(1000))), undefined);
});

it('an archive that unpacks to more than 64 MiB is not read', () => {
  const bomb = gzipSync(Buffer.alloc(ARCHIVE_BYTES_MAX + 1));
  assert.ok(bomb.length < 100_000);
  assert.equal(openCaptureArchive(bomb), undefined);
});

it('a name with .. is no part of the tree', () => {
  writeFileSync(join(folder, 'outside'), 'outside\n');
  const archive = join(folder, 'hostile');
  execFileSync('tar', ['-C', tree, '-P', '-cf', archive, '../outside', 'proc/empty']);
  const files = open(readFileSync(archive));
  assert.deepEqual(files.list(''), ['proc']);
});
