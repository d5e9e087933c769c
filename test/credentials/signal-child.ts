/**
 * A process that handles SIGTERM as the agent does: it finishes its work and exits with code 0.
 *
 * With a directory as its argument it writes a record there; with `raw` it imports conf directly.
 */

import { PROVISIONED, StoreFixture } from './store-fixture.ts';

const [above = ''] = process.argv.slice(2);
const tick = () => new Promise((resolve) => setImmediate(resolve));

process.once('SIGTERM', async () => {
  for (let turn = 0; turn < 10; turn += 1) await tick();
  process.stdin.destroy();
  process.stdout.write('finished');
});
process.stdin.resume(); // runs until SIGTERM

if (above === 'raw') await import('conf');
else await new StoreFixture(above).open().write(PROVISIONED);
process.stdout.write('ready ');
