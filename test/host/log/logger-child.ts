/**
 * A program that only logs, for the tests of the logger on a real stdout: `logger-child <lines> [paced]`.
 *
 * Its messages differ, so the rate limit lets them pass. It reports on stderr, as JSON, when the burst and
 * the logger have ended, and how much memory the burst took.
 */

import { hostClock } from '../../../src/host/clock/clock.ts';
import { openLogger } from '../../../src/host/log/logger.ts';

const [lines = '10', paceMs = 'burst'] = process.argv.slice(2);
const logger = openLogger({ level: 'info', format: 'text', isJournald: true, clock: hostClock() });

const beforeBytes = process.memoryUsage().rss;
let peakBytes = beforeBytes;
for (let i = 1; i <= Number(lines); i++) {
  logger.info(`line number ${i} of a burst`, { padding: 'x'.repeat(60) });
  if (paceMs === 'paced' && i % 50 === 0) await new Promise((resolve) => setImmediate(resolve));
  if (i % 1000 === 0) peakBytes = Math.max(peakBytes, process.memoryUsage().rss);
}
report({ is: 'written', grownMiB: Math.round((peakBytes - beforeBytes) / 2 ** 20), lost: logger.lost });
if (paceMs === 'paced')
  await new Promise((resolve) => process.stdin.once('data', resolve).once('end', resolve));
await logger.close();
report({ is: 'closed', lost: logger.lost });
process.stdin.destroy();

function report(fact: object): void {
  process.stderr.write(`${JSON.stringify(fact)}\n`);
}
