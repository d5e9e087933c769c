/**
 * Bytes on the wire per reading, both ways, with IP and UDP headers (relay.mjs): of this host, and of a quiet and a busy one, whose
 * readings are derived from this one's (run-packing.mjs).
 *
 * The steady state is counted: after provisioning and attributes, from half-way between two readings to half-way between two
 * others. The overhead of a message measured here applies to the other hosts.
 */

import { runCompiled } from './compiled.mjs';
import { flagsOfTheUnit, sleep, start } from './programs.mjs';
import { openRelay } from './relay.mjs';

const READINGS = 10;

export async function measureWire(bundle, sandbox, captured) {
  const relay = await openRelay(sandbox.coapPort);
  const home = sandbox.home({ intervalS: 1, port: relay.port });
  const agent = start([...flagsOfTheUnit(), bundle, ...home]);
  await agent.event('FL-ATTRIBUTES-ACCEPTED');
  const before = await countBetweenReadings(relay, sandbox, 1);
  const after = await countBetweenReadings(relay, sandbox, READINGS);
  await agent.stop();
  relay.close();
  const readings = after.posts - before.posts;
  const per = (name, unit, field) => ({ name, value: (after[field] - before[field]) / readings, unit });
  const messageBytes = (after.bytes - before.bytes - after.payloadBytes + before.payloadBytes) / readings;
  return [
    per('bytes on the wire per reading, both ways', 'B', 'bytes'),
    per('datagrams per reading, both ways', '', 'datagrams'),
    per('values per reading', '', 'points'),
    { name: 'overhead of a message, both ways', value: messageBytes, unit: 'B' },
    ...packing(await runCompiled('packing', { captured }), messageBytes),
  ];
}

function packing(hosts, messageBytes) {
  return hosts.flatMap(({ host, readings, values, online, gathered, draining }) => {
    const perReading = ({ messages, bytes }) => (bytes + messages * messageBytes) / readings;
    return [
      { name: `${host}: values per reading`, value: values / readings, unit: '' },
      { name: `${host}: bytes on the wire per reading, online`, value: perReading(online), unit: 'B' },
      { name: `${host}: the same with send-every = "30s"`, value: perReading(gathered), unit: 'B' },
      { name: `${host}: bytes on the wire per reading, draining`, value: perReading(draining), unit: 'B' },
      { name: `${host}: readings per message, draining`, value: readings / draining.messages, unit: '' },
    ];
  });
}

async function countBetweenReadings(relay, sandbox, readings) {
  const until = relay.count.posts + readings;
  while (relay.count.posts < until) await sleep(20);
  await sleep(500);
  return { ...relay.count, points: await sandbox.storedPoints() };
}
