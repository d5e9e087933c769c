/**
 * A process of its own on a disk of its own: writes a record, fills the disk, writes another, and tells in JSON what became of both.
 *
 * Run inside a mount namespace, with the directory of a small tmpfs as its argument.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../src/core/model/secret.ts';
import { PROVISIONED, Shelf, storeErrorOf } from './store-fixture.ts';

const [above = ''] = process.argv.slice(2);
const shelf = new Shelf(above);
await shelf.open().write(PROVISIONED);
const before = shelf.contents;
fill(join(above, 'filler'));

const store = shelf.open();
const error = await storeErrorOf(store.write({ ...PROVISIONED, token: new Secret('QZ7-new') }));
const after = await store.read();
const same = JSON.stringify(before) === JSON.stringify(shelf.contents);
const told = { message: error.message, same, names: shelf.names, token: after?.token?.reveal() };
process.stdout.write(JSON.stringify(told));

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    closeSync(file); // the disk is full
  }
}
