/** The disk double: a credential store like any other, until the power is cut. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Secret } from '../../src/core/model/secret.ts';
import type { CredentialRecord } from '../../src/core/ports/credentials.ts';
import { credentialStoreContract } from '../contracts/credential-store.ts';
import { SeededRandom } from '../simulation/seeded-random.ts';
import { VirtualTime } from '../simulation/virtual-time.ts';
import { type DiskOperation, PowerCutDisk } from './power-cut-disk.ts';

const alive: DiskOperation = (step) => step();

credentialStoreContract('a disk that keeps its power', () => {
  const after = (_ms: number, action: () => void) => queueMicrotask(action);
  const disk = new PowerCutDisk({ after, random: () => 0.5, record: () => {} });
  return { open: () => disk.open(alive), [Symbol.dispose]: () => {} };
});

const known = { server: 'coap://192.0.2.7', deviceName: 'gw-1', sinceMs: 1, token: new Secret('token-1') };
const PENDING: CredentialRecord = { state: 'pending', ...known };
const PROVISIONED: CredentialRecord = { state: 'provisioned', ...known };

describe('a power cut', () => {
  it('in the middle of a write leaves the old record or the new one, and both do happen', async () => {
    const left = new Set<string | undefined>();
    for (let seed = 1; seed <= 200; seed += 1) {
      const { disk, time, die } = stage(seed);
      await written(disk, time, PENDING);
      void disk.open(die.act).write(PROVISIONED);
      await time.run(time.nowMs + (seed % 20));
      die.now();
      disk.cutPower();
      left.add(disk.visible?.state);
    }
    assert.deepEqual([...left].sort(), ['pending', 'provisioned']);
  });

  it('after a write has resolved takes nothing back', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { disk, time } = stage(seed);
      await written(disk, time, PENDING);
      disk.cutPower();
      assert.equal(disk.visible?.state, 'pending', `seed ${seed}`);
    }
  });

  it('without a synced directory takes back a write that has resolved, now and then', async () => {
    const left = new Set<string | undefined>();
    for (let seed = 1; seed <= 20; seed += 1) {
      const { disk, time } = stage(seed, false);
      await written(disk, time, PENDING);
      disk.cutPower();
      left.add(disk.visible?.state);
    }
    assert.deepEqual([...left].sort(), ['pending', undefined]);
  });

  it('after a kill in the middle of a rename takes nothing back that was read since', async () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const { disk, time, die } = stage(seed);
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

function stage(seed: number, syncsDirectory = true) {
  const time = new VirtualTime();
  const rng = new SeededRandom(seed);
  const disk = new PowerCutDisk(
    { after: (ms, action) => time.after(ms, action), random: () => rng.random(), record: () => {} },
    syncsDirectory,
  );
  let lives = true;
  const act: DiskOperation = (step) => {
    if (lives) step();
  };
  const now = () => {
    lives = false;
  };
  return { time, disk, die: { act, now } };
}

/** Half a second is longer than any write, and shorter than the file system takes to sync by itself. */
async function written(disk: PowerCutDisk, time: VirtualTime, record: CredentialRecord): Promise<void> {
  const writing = disk.open(alive).write(record);
  await time.run(time.nowMs + 500);
  await writing;
}
