/**
 * Reads this host with all tools at once: the agent's sensors at the beginning and the end of some seconds and once more after the
 * tools, and each tool in between. Values are numbers in bytes, seconds and percent.
 */

import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readdirSync } from 'node:fs';
import { promisify } from 'node:util';
import { withExporter } from '../bench/exporter.mjs';
import { sleep } from '../bench/programs.mjs';

const run = async (program, ...options) =>
  (await promisify(execFile)(program, options, { env: { ...process.env, LC_ALL: 'C' } })).stdout;

export async function observe(sensors, { seconds, traffic }) {
  const missing = [];
  const orSkip = async (tool, ask) => {
    try {
      return await ask();
    } catch (error) {
      missing.push({
        tool,
        why: error.code === 'ENOENT' ? 'it is not installed' : error.message.split('\n')[0],
      });
      return undefined;
    }
  };
  const all = async (exporter) => {
    const scrape =
      exporter === undefined ? async () => undefined : async () => metrics(await exporter.scrape());
    await scrape();
    const vmstat = orSkip('vmstat', () => run('vmstat', '-w', '-n', String(seconds), '2'));
    const [linksBefore, exporterBefore] = await Promise.all([orSkip('ip', links), scrape()]);
    const beforeMs = performance.now();
    await sensors.sample();
    await Promise.all([sleep(seconds * 1000), traffic ? sendInto(seconds) : undefined]);
    const ours = await sensors.sample();
    const ourSeconds = (performance.now() - beforeMs) / 1000;
    const [exporterAfter, linksAfter, free, df, inodes, hwmon, processes] = await Promise.all([
      scrape(),
      orSkip('ip', links),
      orSkip('free', async () => freeOf(await run('free', '-b'))),
      orSkip('df', async () => dfOf(await run('df', '-B1', '/'))),
      orSkip('df', async () => dfOf(await run('df', '-i', '/'))),
      orSkip('sensors', hwmonOf),
      orSkip('ps', async () => (await run('ps', '-e', '--no-headers')).trim().split('\n').length),
    ]);
    const later = await sensors.sample();
    return {
      ours,
      later,
      ourSeconds,
      free,
      df,
      inodes,
      hwmon,
      processes,
      vmstat: vmstatOf(await vmstat),
      links: linksBefore && linksAfter && { before: linksBefore, after: linksAfter },
      exporter: exporterBefore && { before: exporterBefore, after: exporterAfter },
      missing,
    };
  };
  const seen = await withExporter(all);
  if (seen !== undefined) return seen;
  missing.push({ tool: 'prometheus-node-exporter', why: 'it is not installed' });
  return all(undefined);
}

const NOBODY = '198.51.100.1';
const DISCARD = 9;
const DATAGRAMS = 200;
const DATAGRAM_BYTES = 1000;

/** In the first half of the time, so that all of it is in every window. */
async function sendInto(seconds) {
  const socket = createSocket('udp4');
  const pauseMs = (seconds * 500) / DATAGRAMS;
  for (let sent = 0; sent < DATAGRAMS; sent += 1) {
    socket.send(Buffer.alloc(DATAGRAM_BYTES), DISCARD, NOBODY, () => {});
    await sleep(pauseMs);
  }
  socket.close();
}

/** Metric, labels included, to its value. */
function metrics(text) {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [
      line.slice(0, line.lastIndexOf(' ')),
      Number(line.slice(line.lastIndexOf(' ') + 1)),
    ]),
  );
}

async function links() {
  const all = JSON.parse(await run('ip', '-s', '-j', 'link'));
  return new Map(
    all.map(({ ifname, stats64 }) => [ifname, { rx: stats64.rx, tx: stats64.tx, atMs: performance.now() }]),
  );
}

function freeOf(text) {
  const numbers = (label) =>
    text
      .split('\n')
      .find((line) => line.startsWith(label))
      ?.trim()
      .split(/\s+/)
      .slice(1)
      .map(Number) ?? [];
  const [total, used, free, , buffCache, available] = numbers('Mem:');
  const [, swapUsed] = numbers('Swap:');
  return { total, used, free, buffCache, available, swapUsed };
}

/** Size, used and available in the requested unit, and the percentage as df rounds it. */
function dfOf(text) {
  const [size, used, available, percent] = text.trim().split('\n').at(-1).split(/\s+/).slice(1);
  return {
    size: Number(size),
    used: Number(used),
    available: Number(available),
    percent: Number(percent.replace('%', '')),
  };
}

function vmstatOf(text) {
  if (text === undefined) return undefined;
  const [, head, , line] = text
    .trim()
    .split('\n')
    .map((each) => each.trim().split(/\s+/));
  const at = (name) => Number(line[head.indexOf(name)]);
  return { idle: at('id'), wait: at('wa') };
}

/** Every input of every chip that lm-sensors knows, in its units; throws if there is no chip. */
async function hwmonOf() {
  if (!hasChips()) throw new Error('this host has no hwmon chip');
  const chips = JSON.parse(await run('sensors', '-j', '-A'));
  return Object.entries(chips).flatMap(([chip, features]) =>
    Object.entries(features).flatMap(([feature, values]) =>
      Object.entries(values)
        .filter(([name]) => name.endsWith('_input'))
        .map(([name, value]) => ({ name: `${chip} ${feature} ${name}`, value })),
    ),
  );
}

function hasChips() {
  try {
    return readdirSync('/sys/class/hwmon').length > 0;
  } catch {
    return false;
  }
}
