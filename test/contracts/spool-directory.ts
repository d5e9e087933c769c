/** The contract of `SpoolDirectory`, for a real file system and for the simulated one with power cuts. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SpoolDirectory } from '../../src/outbox/spool/directory.ts';

/** Returns a directory that does not exist yet. */
export type MakeDirectory = () => Promise<SpoolDirectory>;

export function spoolDirectoryContract(name: string, make: MakeDirectory): void {
  describe(`${name} keeps the contract of the spool's directory`, () => {
    it('a directory that does not exist is empty and has a free space', async () => {
      const directory = await make();
      assert.deepEqual(await directory.list(), []);
      const { freeBytes, totalBytes } = await directory.space();
      assert.ok(freeBytes > 0 && totalBytes >= freeBytes);
    });

    it('a write is stored at its position', async () => {
      const directory = await make();
      const file = await directory.create('a');
      await file.write(Buffer.alloc(10), 0);
      await file.write(Buffer.from('here'), 3);
      await file.sync();
      await file.close();
      await directory.sync();
      assert.deepEqual(await directory.list(), [{ name: 'a', bytes: 10 }]);
      assert.equal((await directory.read('a', 2, 6)).toString(), '\0here\0');
    });

    it('a read returns fewer bytes at the end of a file and none beyond it', async () => {
      const directory = await make();
      const file = await directory.create('a');
      await file.write(Buffer.from('0123'), 0);
      await file.close();
      assert.equal((await directory.read('a', 2, 9)).toString(), '23');
      assert.equal((await directory.read('a', 9, 9)).length, 0);
    });

    it('create fails for an existing file, read and remove for a missing one', async () => {
      const directory = await make();
      await (await directory.create('a')).close();
      await assert.rejects(directory.create('a'), { code: 'EEXIST' });
      await directory.remove('a');
      assert.deepEqual(await directory.list(), []);
      await assert.rejects(directory.remove('a'), { code: 'ENOENT' });
      await assert.rejects(directory.read('a', 0, 1), { code: 'ENOENT' });
    });
  });
}
