/** `npm run faults`: writes the table of test/faults/README.md from the faults. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { prepare, root } from './lib/prepare.mjs';

prepare();
const { faultTable } = await import(join(root, 'dist', 'test', 'faults', 'table.js'));
const file = join(root, 'test', 'faults', 'README.md');
const [begin, end] = ['<!-- faults: made by npm run faults -->\n', '<!-- end -->'];
const [before = '', rest = ''] = readFileSync(file, 'utf8').split(begin);
writeFileSync(file, `${before}${begin}\n${faultTable()}\n${rest.slice(rest.indexOf(end))}`);
