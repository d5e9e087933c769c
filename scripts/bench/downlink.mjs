/** Memory and CPU of the agent with and without the downlink, side by side in rounds, at one reading every 10 s over CoAP. */

import { cpuMsOf } from './cpu.mjs';
import { memoryOf } from './memory.mjs';
import { flagsOfTheUnit, median, sleep, start } from './programs.mjs';

const ROUNDS = 3;
const OFF = '[remote]\nsettings = "off"\ncommands = "off"\n';

export async function measureDownlink(bundle, sandbox, { seconds }) {
  const rounds = { on: [], off: [] };
  for (let round = 0; round < ROUNDS; round += 1) {
    const agents = [
      ['on', ''],
      ['off', OFF],
    ].map(([name, more]) => ({
      name,
      agent: start([...flagsOfTheUnit(), bundle, ...sandbox.home({ intervalS: 10, more })]),
    }));
    await Promise.all(agents.map(({ agent }) => agent.event('FL-ATTRIBUTES-ACCEPTED')));
    await sleep(3_000); // the child process that gathered the facts has exited
    for (const each of agents) each.startMs = cpuMsOf(each.agent.pid);
    await sleep(seconds * 1000);
    for (const { name, agent, startMs } of agents) {
      const cpuMs = cpuMsOf(agent.pid) - startMs;
      rounds[name].push({ ...memoryOf(agent.pid), cpuMs });
      await agent.stop();
    }
  }
  const of = (name, what, unit) => ({
    name: `${what}, downlink ${name}`,
    value: median(rounds[name].map((each) => each[what])),
    unit,
  });
  return [
    ...['on', 'off'].flatMap((name) => [of(name, 'RSS', 'MiB'), of(name, 'private', 'MiB')]),
    ...['on', 'off'].map((name) => ({
      name: `CPU a minute, downlink ${name}`,
      value: (rounds[name].reduce((sum, { cpuMs }) => sum + cpuMs, 0) * 60) / (ROUNDS * seconds),
      unit: 'ms',
    })),
  ];
}
