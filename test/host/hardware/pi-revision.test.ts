/** Revision codes of the Raspberry Pi, old and new, and boards that have none. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { piFacts } from '../../../src/host/hardware/facts-child.ts';
import { parsePiBoard } from '../../../src/host/hardware/pi-revision.ts';

/** From the tables of the Raspberry Pi documentation. */
const BOARDS = {
  a03111: ['4 Model B', '1 GB', 'Sony UK', 'BCM2711', '1.1'],
  c03114: ['4 Model B', '4 GB', 'Sony UK', 'BCM2711', '1.4'],
  d03115: ['4 Model B', '8 GB', 'Sony UK', 'BCM2711', '1.5'],
  '902120': ['Zero 2 W', '512 MB', 'Sony UK', 'BCM2837', '1.0'],
  c04170: ['5 Model B', '4 GB', 'Sony UK', 'BCM2712', '1.0'],
  a22082: ['3 Model B', '1 GB', 'Embest', 'BCM2837', '1.2'],
  a32082: ['3 Model B', '1 GB', 'Sony Japan', 'BCM2837', '1.2'],
  a52082: ['3 Model B', '1 GB', 'Stadium', 'BCM2837', '1.2'],
  '9000c1': ['Zero W', '512 MB', 'Sony UK', 'BCM2835', '1.1'],
  c03141: ['Compute Module 4', '4 GB', 'Sony UK', 'BCM2711', '1.1'],
  '0004': ['Model B', '256 MB', 'Sony UK', 'BCM2835', '2.0'],
  '000d': ['Model B', '512 MB', 'Egoman', 'BCM2835', '2.0'],
  '0015': ['Model A Plus', undefined, 'Embest', 'BCM2835', '1.1'],
} as const;

for (const [code, [model, memory, manufacturer, processor, revision]] of Object.entries(BOARDS)) {
  it(`${code} is a Raspberry Pi ${model}, revision ${revision}, ${memory ?? 'with either memory'}`, () => {
    assert.deepEqual(parsePiBoard(cpuinfo(code)), { model, memory, manufacturer, processor, revision, code });
  });
}

it('the bits for warranty and overvoltage are ignored', () => {
  assert.deepEqual(parsePiBoard(cpuinfo('2a22082')), parsePiBoard(cpuinfo('a22082')));
  assert.deepEqual(parsePiBoard(cpuinfo('e0c03114')), parsePiBoard(cpuinfo('c03114')));
  assert.deepEqual(parsePiBoard(cpuinfo('1000004')), parsePiBoard(cpuinfo('0004')));
});

it('a revision code with unknown values gives the known ones', () => {
  const board = parsePiBoard(cpuinfo('fff7f2'));
  assert.deepEqual(board, {
    model: undefined,
    memory: undefined,
    manufacturer: undefined,
    processor: undefined,
    revision: '1.2',
    code: 'fff7f2',
  });
  assert.equal(piFacts(board).hardwareRevision, 'rev 1.2 (fff7f2)');
  assert.equal(piFacts(parsePiBoard(cpuinfo('00ff'))).hardwareRevision, 'rev unknown (00ff)');
});

it('a captured Pi 4 has revision, memory, manufacturer and processor as attributes', () => {
  const path = join(process.cwd(), 'test/fixtures/hosts/raspberry-pi-4/proc/cpuinfo');
  assert.deepEqual(piFacts(parsePiBoard(readFileSync(path, 'latin1'))), {
    hardwareRevision: 'rev 1.4 (c03114)',
    hardwareMemory: '4 GB',
    hardwareManufacturer: 'Sony UK',
    hardwareProcessor: 'BCM2711',
  });
});

it('a Raspberry Pi is recognised by its chip family alone', () => {
  assert.equal(parsePiBoard('Hardware\t: BCM2835\nRevision\t: 0010\n')?.model, 'Model B Plus');
});

it('parsePiBoard returns undefined for other boards', () => {
  for (const text of [
    'Hardware\t: Allwinner sun8i Family\nRevision\t: 0004\n',
    'model name\t: Intel(R) Celeron(R)\n',
    'Model\t\t: Raspberry Pi 4\n',
    'Revision\t: c03114\n',
    'Model\t\t: Raspberry Pi 4\nRevision\t: nonsense\n',
    '',
  ]) {
    assert.equal(parsePiBoard(text), undefined, JSON.stringify(text));
  }
});

function cpuinfo(revision: string): string {
  return `processor\t: 0\nCPU revision\t: 3\n\nRevision\t: ${revision}\nSerial\t\t: 1\nModel\t\t: Raspberry Pi\n`;
}
