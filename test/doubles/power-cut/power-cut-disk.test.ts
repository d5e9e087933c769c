/** The disk double: it fulfils the contract of a credential store, until its power is cut. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../../src/core/ports/credentials.ts';
import { credentialStoreContract } from '../../contracts/credential-store.ts';
import { SeededRandom } from '../../simulation/seeded-random.ts';
import { VirtualTime } from '../../simulation/virtual-time.ts';
import { type DiskOperation, PowerCutDisk } from './power-cut-disk.ts';

const alive: DiskOperation = (step) => step();

credentialStoreContract('a disk that keeps its power', () => {
  const after = (_ms: number, action: () => void) => queueMicrotask(action);
  const disk = new PowerCutDisk({ after, random: () => 0.5, record: () => {} });
  return { open: () => disk.open(alive), [Symbol.dispose]: () => {} };
});

const record = { server: 'coap://192.0.2.7', deviceName: 'gw-1', sinceMs: 1, token: new Secret('token-1') };
const PENDING: CredentialRecord = { state: 'pending', ...record };
const PROVISIONED: CredentialRecord = { state: 'provisioned', ...record };

describe('a power cut of the disk double', () => {
  it('a power cut during a write leaves the old or the new record, and both happen', async () => {
    const states = new Set<string | undefined>();
    for (let seed = 1; seed <= 200; seed += 1) {
      const { disk, time, die } = openDisk(seed);
      await writeRecord(disk, time, PENDING);
      void disk.open(die.act).write(PROVISIONED);
      await time.run(time.nowMs + (seed % 20));
      die.now();
      disk.cutPower();
      states.add(disk.visible?.state);
    }
    assert.deepEqual([...states].sort(), ['pending', 'provisioned']);
  });

  it('a power cut after a completed write loses nothing', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { disk, time } = openDisk(seed);
      await writeRecord(disk, time, PENDING);
      disk.cutPower();
      assert.equal(disk.visible?.state, 'pending', `seed ${seed}`);
    }
  });

  it('a power cut without a directory sync sometimes loses a completed write', async () => {
    const states = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { disk, time } = openDisk(seed, false);
      await writeRecord(disk, time, PENDING);
      disk.cutPower();
      states.add(disk.visible?.state);
    }
    assert.deepEqual([...states].sort(), ['pending', undefined]);
  });

  it('a power cut after a kill during a rename loses nothing that was read since', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { disk, time, die } = openDisk(seed);
      void disk.open(die.act).write(PENDING);
      while (disk.visible === undefined) await time.run(time.nowMs + 1);
      die.now();
      let read: CredentialRecord | undefined;
      void disk
        .open(alive)
        .read()
        .then((record) => {
          read = record;
        });
      await time.run(time.nowMs + 50);
      disk.cutPower();
      assert.equal(disk.visible?.state, read?.state, `seed ${seed}`);
    }
  });
});

function openDisk(seed: number, syncsDirectory = true) {
  const time = new VirtualTime();
  const random = new SeededRandom(seed);
  const disk = new PowerCutDisk(
    { after: (ms, action) => time.after(ms, action), random: () => random.random(), record: () => {} },
    syncsDirectory,
  );
  let isAlive = true;
  const act: DiskOperation = (step) => {
    if (isAlive) step();
  };
  const now = () => {
    isAlive = false;
  };
  return { time, disk, die: { act, now } };
}

/**
 * Half a second is longer than any write, and shorter than the delay after which the file system syncs by
 * itself.
 */
async function writeRecord(disk: PowerCutDisk, time: VirtualTime, record: CredentialRecord): Promise<void> {
  const pendingWrite = disk.open(alive).write(record);
  await time.run(time.nowMs + 500);
  await pendingWrite;
}
