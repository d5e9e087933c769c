/**
 * A process on a small disk: writes a record, fills the disk, writes another record, and prints the results in JSON.
 *
 * Runs in a mount namespace with the directory of a small tmpfs as its argument.
 */

import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Secret } from '../../src/core/model/secret.ts';
import { PROVISIONED, StoreFixture, storeErrorOf } from './store-fixture.ts';

const [above = ''] = process.argv.slice(2);
const fixture = new StoreFixture(above);
await fixture.open().write(PROVISIONED);
const before = fixture.contents;
fill(join(above, 'filler'));

const store = fixture.open();
const error = await storeErrorOf(store.write({ ...PROVISIONED, token: new Secret('QZ7-new') }));
const after = await store.read();
const same = JSON.stringify(before) === JSON.stringify(fixture.contents);
const output = { message: error.message, same, names: fixture.names, token: after?.token?.reveal() };
process.stdout.write(JSON.stringify(output));

function fill(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    closeSync(file); // the disk is full
  }
}
