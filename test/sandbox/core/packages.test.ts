/** What the server writes when a package is assigned (contract section 7), and its checksums. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPackage, type PackageInput } from '../../../src/sandbox/core/packages.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { openQuickCore, withDevice } from '../helpers/quick-core.ts';

const NOW = 1_800_000_000_000;
const INPUT: PackageInput = { title: 'firstlight', version: '2.0.0', data: Buffer.from('123456789') };

async function openHarness() {
  const core = openQuickCore({ clock: new ManualClock(NOW) });
  const device = await withDevice(core);
  const notified: string[] = [];
  core.subscribe(device, { sharedAttributes: (json) => notified.push(json) });
  return { core, device, notified, admin: core.admin };
}

describe('assigning a package', () => {
  it('the server stores the target and both states, not as a post of the device', async () => {
    const { admin } = await openHarness();
    admin.assignPackage('gw-0001', 'software', { ...INPUT, tag: 'firstlight 2' });
    assert.deepEqual(
      admin.points().map(({ key, value, ts, via }) => [key, value, ts - NOW, via]),
      [
        ['target_sw_title', 'firstlight', 0, 'server'],
        ['target_sw_version', '2.0.0', 0, 'server'],
        ['target_sw_tag', 'firstlight 2', 0, 'server'],
        ['target_sw_ts', NOW, 0, 'server'],
        ['sw_state', 'QUEUED', 0, 'server'],
        ['sw_state', 'INITIATED', 1, 'server'],
      ],
    );
    assert.deepEqual(admin.duplicatePoints(), []);
  });

  it('the next package deletes what it lacks of the previous one', async () => {
    const { admin, notified } = await openHarness();
    admin.assignPackage('gw-0001', 'firmware', { title: 'a', version: '1', tag: 't', url: 'http://x/y' });
    admin.assignPackage('gw-0001', 'firmware', { ...INPUT, checksum: 'c' });
    assert.deepEqual(notified, [
      '{"deleted":["fw_size","fw_checksum_algorithm","fw_checksum"]}',
      '{"fw_title":"a","fw_version":"1","fw_tag":"t","fw_url":"http://x/y"}',
      '{"deleted":["fw_tag","fw_url"]}',
      '{"fw_title":"firstlight","fw_version":"2.0.0","fw_size":9,"fw_checksum_algorithm":"SHA256","fw_checksum":"c"}',
    ]);
    assert.deepEqual(Object.keys(admin.devices()[0]?.attributes.shared ?? {}), [
      'fw_title',
      'fw_version',
      'fw_size',
      'fw_checksum_algorithm',
      'fw_checksum',
    ]);
  });

  it('without a package all its keys are deleted, others stay', async () => {
    const { admin, notified } = await openHarness();
    admin.setSharedAttributes('gw-0001', '{"period":60}');
    admin.assignPackage('gw-0001', 'software', INPUT);
    admin.unassignPackage('gw-0001', 'software');
    assert.equal(
      notified.at(-1),
      '{"deleted":["sw_title","sw_version","sw_ts","sw_state","sw_size","sw_checksum",' +
        '"sw_checksum_algorithm","sw_url","sw_tag"]}',
    );
    assert.deepEqual(admin.devices()[0]?.attributes.shared, { period: 60 });
  });

  it('a rejected package changes nothing', async () => {
    const { admin, notified } = await openHarness();
    const answer = admin.assignPackage('gw-0001', 'software', { title: '', version: '1' });
    assert.ok(!answer.ok);
    assert.deepEqual([notified, admin.points()], [[], []]);
  });

  it('a download fails under the rate limit, and for a deleted device', async () => {
    const { core, admin, device } = await openHarness();
    admin.assignPackage('gw-0001', 'software', INPUT);
    const read = () => core.readPackage(device, { type: 'software', size: 0, chunk: 0 });
    assert.equal((await read()).status, 'found');
    admin.updateKnobs({ rateLimited: true });
    assert.equal((await read()).status, 'failed');
    admin.updateKnobs({ rateLimited: false });
    admin.deleteDevice('gw-0001');
    assert.equal((await read()).status, 'failed');
  });
});

describe('createPackage', () => {
  const checksums = [
    ['SHA256', '15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225'],
    ['MD5', '25f9e794323b453885f5181f1b624d0b'],
    // The check value of CRC-32 is cbf43926; Guava writes the least significant byte first.
    ['CRC32', '2639f4cb'],
  ] as const;
  for (const [checksumAlgorithm, checksum] of checksums) {
    it(`computes the ${checksumAlgorithm} of a package in hex`, () => {
      const creation = createPackage({ ...INPUT, checksumAlgorithm });
      assert.equal(creation.ok && creation.created.checksum, checksum);
    });
  }

  it('needs the checksum for an algorithm that it does not compute', () => {
    const input: PackageInput = { ...INPUT, checksumAlgorithm: 'MURMUR3_32' };
    assert.deepEqual(createPackage(input), {
      ok: false,
      message: 'checksum: the sandbox does not compute MURMUR3_32, give the checksum',
    });
    assert.ok(createPackage({ ...input, checksum: '00' }).ok);
  });

  it('gives a package a file name that fits into a header', () => {
    const creation = createPackage({ ...INPUT, title: 'fürst\nlight' });
    assert.equal(creation.ok && creation.created.fileName, 'f_rst_light-2.0.0');
  });
});
