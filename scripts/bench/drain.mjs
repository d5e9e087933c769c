/**
 * Delivers a day of 8,640 readings, one each 10 s, over a network with a round trip of 100 ms and a loss of 5 % each way.
 *
 * The agent's own outbox fills the spool, flush by flush, with readings of this host dated over the past 24 hours. Then the
 * agent starts. At the end every value is looked up at the server.
 */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCompiled } from './compiled.mjs';
import { flagsOfTheUnit, start } from './programs.mjs';
import { openRelay } from './relay.mjs';

const INTERVAL_S = 10;
const READINGS = 86_400 / INTERVAL_S;
const PER_FLUSH = 6;
const NETWORK = { delayMs: 50, loss: 0.05, seed: 20_261_122 };
const DRAINS_WITHIN_MS = 1_800_000;
const DEFAULT_PER_S = 10;
const DEFAULT_S_MAX = 360;
const LIFTED_PER_S = 1000;
/** Of the four requests in flight, one is reserved for fresh readings. */
const IN_FLIGHT = 3;

export function measureDefaultDrain(bundle, sandbox, captured) {
  return measureDrain(bundle, sandbox, captured, { perS: DEFAULT_PER_S, sMax: DEFAULT_S_MAX });
}

export function measureLiftedDrain(bundle, sandbox, captured) {
  return measureDrain(bundle, sandbox, captured, { perS: LIFTED_PER_S });
}

async function measureDrain(bundle, sandbox, captured, { perS, sMax }) {
  const directory = mkdtempSync(join(tmpdir(), 'firstlight-bench-'));
  const device = `bench-drain-${perS}`;
  const relay = await openRelay(sandbox.coapPort, NETWORK);
  try {
    const state = join(directory, 'state');
    const listFile = join(directory, 'readings');
    await runCompiled(
      'fill',
      {
        directory: join(state, 'spool'),
        captured,
        everyMs: INTERVAL_S * 1000,
        firstTsMs: Date.now() - (READINGS + 1) * INTERVAL_S * 1000,
        perFlush: PER_FLUSH,
        count: READINGS,
        listFile,
      },
      { isQuick: true },
    );
    await sandbox.createDevice(device, device);
    const more = `drain-rate = "${perS}"\n`;
    const home = sandbox.home({ intervalS: INTERVAL_S, port: relay.port, token: device, state, more });
    const startedTsMs = Date.now();
    const agent = start([...flagsOfTheUnit(), bundle, ...home]);
    const { ms: readyMs } = await agent.event('FL-AGENT-STARTED');
    const { ms: drainedMs } = await agent.event('FL-BACKLOG-DELIVERED', DRAINS_WITHIN_MS);
    await agent.stop();
    const missing = await missingAt(sandbox, device, listFile);
    return rowsOf({ perS, sMax, missing, s: (drainedMs - readyMs) / 1000, relay, startedTsMs });
  } finally {
    relay.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function rowsOf({ perS, sMax, missing, s, relay, startedTsMs }) {
  const messages = relay.requests().filter(({ payload }) => isOfBefore(payload, startedTsMs));
  const answered = messages.filter(({ answeredMs }) => answeredMs !== undefined);
  const tookS =
    answered.reduce((sum, { sentMs, answeredMs }) => sum + answeredMs - sentMs, 0) / answered.length / 1000;
  const what = perS === LIFTED_PER_S ? 'drain of a day, no rate limit' : `drain of a day, ${perS} messages/s`;
  return [
    { name: what, value: s, unit: 's', max: sMax },
    { name: '  messages', value: messages.length, unit: '' },
    { name: '  readings per message', value: READINGS / messages.length, unit: '' },
    { name: '  mean time of a message, request to response', value: tookS * 1000, unit: 'ms' },
    { name: '  minimum at this rate', value: messages.length / perS, unit: 's' },
    {
      name: `  minimum with ${IN_FLIGHT} in flight`,
      value: (messages.length * tookS) / IN_FLIGHT,
      unit: 's',
    },
    { name: '  datagrams per message, both ways', value: relay.count.datagrams / messages.length, unit: '' },
    { name: '  bytes on the wire per reading', value: relay.count.bytes / READINGS, unit: 'B' },
    { name: '  values missing or wrong at the server', value: missing, unit: '', max: 0 },
  ];
}

function isOfBefore(payload, startedTsMs) {
  const ts = /^\[\{"ts":(\d+)/.exec(payload.toString('latin1'))?.[1];
  return ts !== undefined && Number(ts) < startedTsMs;
}

/** The number of values that the server lacks or stores differently. */
async function missingAt(sandbox, device, listFile) {
  const readings = readFileSync(listFile, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const keys = new Set(readings.flatMap(({ values }) => Object.keys(values)));
  let missing = 0;
  for (const key of keys) {
    const stored = new Map((await sandbox.points(device, key)).map(({ ts, value }) => [ts, value]));
    for (const { ts, values } of readings) {
      if (key in values && stored.get(ts) !== values[key]) missing += 1;
    }
  }
  return missing;
}
