/**
 * From the start of the process to "ready" and to the first telemetry the server accepted.
 *
 * First boots provision on the way, each with a state directory of its own; second boots find the
 * credentials. One at a time, with nothing else of ours running but the sandbox. The wait at random that
 * spreads a fleet (server.spread) is set to 0.
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
  const { ms: readyMs } = await agent.line('firstlight is ready');
  const { ms: telemetryMs } = await agent.line('first telemetry accepted');
  // So that the next boot does not run beside the child that gathers this one's facts.
  await agent.line('client attributes accepted');
  await agent.stop();
  return { readyMs, telemetryMs };
}

async function emptyNode() {
  const startedMs = performance.now();
  await start([BARE[0], '0']).ended;
  return performance.now() - startedMs;
}
