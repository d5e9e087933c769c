/**
 * Time from the start of the process to "ready" and to the first telemetry the server accepted.
 *
 * First boots provision, each with a new state directory; second boots find the credentials. They run one at a time, beside
 * the sandbox only. The random delay of the first request (server.spread) is 0.
 */

import { BARE, flagsOfTheUnit, median, start } from './programs.mjs';

const BOOTS = 5;
const FIRST_TELEMETRY_MS_MAX = 500;

export async function measureStart(bundle, sandbox) {
  const flags = flagsOfTheUnit();
  const [first, second, empty] = [[], [], []];
  for (let boot = 0; boot < BOOTS; boot += 1) {
    const home = sandbox.home({ intervalS: 10 });
    first.push(await bootOnce([...flags, bundle, ...home]));
    second.push(await bootOnce([...flags, bundle, ...home]));
    empty.push(await emptyNode());
  }
  const row = (name, values, max) => ({ name, value: median(values), unit: 'ms', max });
  const ready = (boots) => boots.map((boot) => boot.readyMs);
  const telemetry = (boots) => boots.map((boot) => boot.telemetryMs);
  return [
    row('node -e 0, start to end', empty),
    row('first boot, start to ready', ready(first)),
    row('first boot, start to first telemetry', telemetry(first), FIRST_TELEMETRY_MS_MAX),
    row('second boot, start to ready', ready(second)),
    row('second boot, start to first telemetry', telemetry(second), FIRST_TELEMETRY_MS_MAX),
  ];
}

async function bootOnce(commandLine) {
  const agent = start(commandLine);
  const { ms: readyMs } = await agent.event('FL-AGENT-STARTED');
  const { ms: telemetryMs } = await agent.event('FL-TELEMETRY-STARTED');
  // The next boot must not run beside the process that gathers the facts of this one.
  await agent.event('FL-ATTRIBUTES-ACCEPTED');
  await agent.stop();
  return { readyMs, telemetryMs };
}

async function emptyNode() {
  const startedMs = performance.now();
  await start([BARE[0], '0']).ended;
  return performance.now() - startedMs;
}
