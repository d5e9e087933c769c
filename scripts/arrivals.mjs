/**
 * `npm run arrivals`: when the gateways of a fleet reach the server after power returned to all of them in the same second.
 *
 * Uses the agent's own retry schedules and CoAP timing, and a seeded random number generator; 20,000 gateways by default. Three
 * cases: the server is up, for several values of server.spread; it returns after ten minutes of silence to gateways that started
 * meanwhile; and it returns to a fleet that posts every 10 s, after an outage with a closed port or without any response.
 */

import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { loadRetryTiming } from './lib/sources.mjs';

prepare();
const { waitBeforeMs, policies, retransmissionTiming, createRandom } = await loadRetryTiming();

const { values } = parseArgs({
  options: { gateways: { type: 'string', default: '20000' }, seed: { type: 'string', default: '1' } },
});
const gateways = Number(values.gateways);
const roll = createRandom(Number(values.seed));

/** The first datagram that reaches a server which is up from `upMs` on; all gateways start at 0. */
function arrivalMs(spreadMs, upMs) {
  let atMs = roll() * spreadMs;
  for (let attempt = 1; ; attempt += 1) {
    const { retransmitAfterMs, noAckTimeoutMs } = retransmissionTiming('once', roll());
    for (let sentMs = atMs, repeat = 0; ; repeat += 1) {
      if (sentMs >= upMs) return sentMs;
      const pauseMs = retransmitAfterMs[repeat];
      if (pauseMs === undefined || sentMs + pauseMs > atMs + noAckTimeoutMs) break;
      sentMs += pauseMs;
    }
    atMs += noAckTimeoutMs + waitBeforeMs(policies['server-timeout'].schedule, attempt, roll());
  }
}

/** The same for a gateway that posted every 10 s when the server went away at 0. `isClosed`: its host says that the port is closed. */
function returnMs(isClosed, upMs) {
  let atMs = roll() * INTERVAL_MS;
  const { schedule } = policies[isClosed ? 'port-closed' : 'server-timeout'];
  for (let attempt = 1; ; attempt += 1) {
    if (atMs >= upMs) return atMs;
    if (!isClosed) {
      const { retransmitAfterMs, noAckTimeoutMs } = retransmissionTiming('retryable', roll());
      let sentMs = atMs;
      for (const pauseMs of retransmitAfterMs) {
        sentMs += pauseMs;
        if (sentMs > atMs + noAckTimeoutMs) break;
        if (sentMs >= upMs) return sentMs;
      }
      atMs += noAckTimeoutMs;
    }
    atMs += waitBeforeMs(schedule, attempt, roll());
  }
}

const INTERVAL_MS = 10_000;
const MINUTE_MS = 60_000;

console.log(`${gateways} gateways started at the same time, seed ${values.seed}\n`);
console.log(
  'case                                     busiest second   half after   95 % after   99 % after   last after',
);
for (const [name, spreadMs, upMs] of [
  ['server up, spread = "0s"', 0, 0],
  ['server up, spread = "2s" (default)', 2_000, 0],
  ['server up, spread = "1m"', MINUTE_MS, 0],
  ['server up, spread = "5m"', 5 * MINUTE_MS, 0],
  ['server back after 10 min, spread = "2s"', 2_000, 10 * MINUTE_MS],
  ['server back after 10 min, spread = "5m"', 5 * MINUTE_MS, 10 * MINUTE_MS],
])
  printCase(name, () => arrivalMs(spreadMs, upMs) - upMs);
console.log('\na fleet that posts every 10 s');
for (const [name, isClosed, upMs] of [
  ['port closed for 3 min', true, 3 * MINUTE_MS],
  ['port closed for 3 h', true, 180 * MINUTE_MS],
  ['no response for 3 min', false, 3 * MINUTE_MS],
  ['no response for 3 h', false, 180 * MINUTE_MS],
])
  printCase(name, () => returnMs(isClosed, upMs) - upMs);

function printCase(name, afterMsOfOne) {
  const afterMs = Array.from({ length: gateways }, afterMsOfOne).sort((a, b) => a - b);
  const perSecond = new Map();
  for (const ms of afterMs)
    perSecond.set(Math.floor(ms / 1000), (perSecond.get(Math.floor(ms / 1000)) ?? 0) + 1);
  const at = (share) =>
    `${((afterMs[Math.min(gateways - 1, Math.floor(gateways * share))] ?? 0) / 1000).toFixed(1)} s`;
  console.log(
    [
      name.padEnd(40),
      String(Math.max(...perSecond.values())).padStart(14),
      ...[0.5, 0.95, 0.99, 1].map((share) => at(share).padStart(12)),
    ].join(' '),
  );
}
