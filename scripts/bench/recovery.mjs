/**
 * How soon gateways are heard again when a server that was away for three minutes returns: 20 agents at the default interval, each
 * through a relay of its own, whose port is closed meanwhile.
 */

import { flagsOfTheUnit, median, sleep, start } from './programs.mjs';
import { openRelay } from './relay.mjs';

const GATEWAYS = 20;
const AWAY_S = 180;
const RETURN_S_MAX = 150;
const MEDIAN_S_MAX = 5;
const SLOWEST_S_MAX = 15;

export async function measureRecovery(bundle, sandbox) {
  const gateways = [];
  for (let gateway = 0; gateway < GATEWAYS; gateway += 1) {
    const relay = await openRelay(sandbox.coapPort);
    const agent = start([...flagsOfTheUnit(), bundle, ...sandbox.home({ intervalS: 10, port: relay.port })]);
    await agent.event('FL-ATTRIBUTES-ACCEPTED');
    gateways.push({ agent, relay });
  }
  for (const { relay } of gateways) relay.close();
  await sleep(AWAY_S * 1000);
  const returned = await Promise.all(
    gateways.map(({ relay }) => openRelay(sandbox.coapPort, { port: relay.port })),
  );
  const upMs = performance.now();
  const heardAfterS = await Promise.all(returned.map((relay) => firstResponseAfterS(relay, upMs)));
  await Promise.all(gateways.map(({ agent }) => agent.stop()));
  for (const relay of returned) relay.close();
  const sorted = heardAfterS.sort((a, b) => a - b);
  return [
    {
      name: 'first reading accepted after the return, median',
      value: median(sorted),
      unit: 's',
      max: MEDIAN_S_MAX,
    },
    {
      name: 'the same, 95 %',
      value: sorted[Math.ceil(GATEWAYS * 0.95) - 1],
      unit: 's',
      max: SLOWEST_S_MAX,
    },
  ];
}

async function firstResponseAfterS(relay, upMs) {
  while (performance.now() - upMs < RETURN_S_MAX * 1000) {
    const answered = relay.requests().find(({ answeredMs }) => answeredMs !== undefined);
    if (answered) return (answered.answeredMs - upMs) / 1000;
    await sleep(20);
  }
  return Number.POSITIVE_INFINITY;
}
