/**
 * A process that has its own answer to SIGTERM, as the agent has: it finishes its work and ends with code 0.
 *
 * With a directory as its argument it writes a record there through the store; with `raw` it loads conf by itself.
 */

import { PROVISIONED, StoreFixture } from './store-fixture.ts';

const [above = ''] = process.argv.slice(2);
const tick = () => new Promise((resolve) => setImmediate(resolve));

process.once('SIGTERM', async () => {
  for (let turn = 0; turn < 10; turn += 1) await tick();
  process.stdin.destroy();
  process.stdout.write('finished');
});
process.stdin.resume(); // stays until told

if (above === 'raw') await import('conf');
else await new StoreFixture(above).open().write(PROVISIONED);
process.stdout.write('ready ');
