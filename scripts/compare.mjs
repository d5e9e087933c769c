/**
 * `npm run compare`: the agent's values beside those of the host's tools at the same time: free, df, vmstat, ip, sensors, ps, and
 * Debian's prometheus-node-exporter. Missing tools are reported.
 *
 * One row per value and tool: same, or the reason of the difference. A difference that is neither rounding nor explained is
 * UNEXPLAINED; the exit code is then 1. `--markdown` prints a Markdown table, `--seconds N` sets the time over which rates are
 * taken (5), and `--traffic` sends 200 KB to an unused address (198.51.100.1, RFC 5737), for a host without traffic.
 */

import { parseArgs } from 'node:util';
import { prepare } from './lib/prepare.mjs';
import { loadSampler } from './lib/sources.mjs';

const { values: options } = parseArgs({
  options: {
    markdown: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '5' },
    traffic: { type: 'boolean', default: false },
  },
});
const seconds = Number(options.seconds);
if (!(Number.isInteger(seconds) && seconds >= 2 && seconds <= 600)) {
  console.error('--seconds must be a whole number from 2 to 600.');
  process.exit(64);
}

prepare();
const { observe } = await import('./compare/observe.mjs');
const { compared } = await import('./compare/facts.mjs');
const { openSensors, hostClock } = await loadSampler();

const log = { debug() {}, info() {}, warn() {}, error() {} };
const seen = await observe(openSensors({ root: '/', clock: hostClock(), log }), {
  seconds,
  traffic: options.traffic,
});
const rows = compared(seen);
for (const { tool, why } of seen.missing) console.error(`skipped ${tool}: ${why}`);
console.log(options.markdown ? markdown(rows) : plain(rows));
const unexplained = rows.filter(({ verdict }) => verdict.startsWith('UNEXPLAINED')).length;
const same = rows.filter(({ verdict }) => verdict === 'same').length;
console.log(
  `\n${rows.length} values compared: ${same} same, ${rows.length - same - unexplained} explained, ${unexplained} unexplained.`,
);
if (unexplained > 0) process.exitCode = 1;

function cellsOf(rows) {
  const head = ['value', 'firstlight', 'tool', 'value of the tool', 'difference', 'reason'];
  return [
    head,
    ...rows.map(({ key, ours, tool, theirs, verdict }) => [
      key,
      shown(ours),
      tool,
      shown(theirs),
      shown(ours - theirs),
      verdict,
    ]),
  ];
}

function plain(rows) {
  const cells = cellsOf(rows);
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  return cells
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

function markdown(rows) {
  const [head, ...body] = cellsOf(rows);
  return [head, ['---', '---:', '---', '---:', '---:', '---'], ...body]
    .map((row) => `| ${row.join(' | ')} |`)
    .join('\n');
}

function shown(number) {
  return String(Math.round(number * 1000) / 1000);
}
