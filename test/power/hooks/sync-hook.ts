/**
 * Runs inside the agent (`node --import`) for the control experiments: omits syncs, which is the bug that the
 * power cuts must catch.
 *
 * SYNC_HOOK_OMIT lists the omitted syncs: `directory`, `main` (credentials.json), `backup`
 * (credentials.backup.json), `spool` (the segments).
 */

import fs from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename } from 'node:path';
import { wrap } from './wrap-function.ts';

const omitted = new Set((process.env['SYNC_HOOK_OMIT'] ?? '').split(','));
const files = new Map<unknown, 'main' | 'backup'>();

const handle = await promises.open(process.execPath);
const handles = Object.getPrototypeOf(handle) as object;
await handle.close();
// File handles use `sync` for directories and `datasync` for segments; the credentials are synced by
// descriptor.
if (omitted.has('directory')) wrap(handles, 'sync', () => async () => {});
if (omitted.has('spool')) wrap(handles, 'datasync', () => async () => {});
wrap(
  fs,
  'openSync',
  () => undefined,
  ([path], descriptor) => {
    if (typeof path !== 'string' || !basename(path).startsWith('credentials')) files.delete(descriptor);
    else files.set(descriptor, basename(path).startsWith('credentials.backup') ? 'backup' : 'main');
  },
);
wrap(fs, 'fsyncSync', ([descriptor]) => (omitted.has(files.get(descriptor) ?? '') ? () => {} : undefined));
syncBuiltinESMExports();
