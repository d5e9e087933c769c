/**
 * `npm run readme`: writes the README's generated tables (configuration, readings, refusals, events) from the code; `--check` only compares, and
 * says which table has drifted. Needs a build.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './lib/prepare.mjs';

const built = (path) => import(join(root, 'dist', 'src', path));
const { renderReadmeTable } = await built('config/example.js');
const { catalogue } = await built('sensors/catalogue.js');
const { formatDuration } = await built('core/format-duration.js');
const { VERDICTS } = await built('core/verdicts.js');
const { EVENTS, refusalId } = await built('core/events.js');

const refusalIds = new Set(Object.keys(VERDICTS).map(refusalId));

const tables = {
  configuration: renderReadmeTable(),
  readings: table(
    ['key', 'unit', 'from profile', 'what it is', 'source'],
    catalogue.map(({ key, unit, profile, meaning, source }) => [
      `\`${key}\``,
      unit || '–',
      profile,
      meaning,
      source,
    ]),
  ),
  refusals: table(
    ['event', 'level', 'tried again after', 'what the agent says'],
    Object.entries(VERDICTS)
      .filter(([reason]) => reason !== 'aborted')
      .map(([reason, { level, schedule, sentence }]) => [
        `\`${refusalId(reason)}\``,
        level,
        waits(schedule),
        sentence,
      ]),
  ),
  events: table(
    ['event', 'level', 'what the agent says'],
    Object.entries(EVENTS)
      .filter(([id]) => !refusalIds.has(id))
      .map(([id, { level, sentence }]) => [`\`${id}\``, level, sentence]),
  ),
};

const file = join(root, 'README.md');
const before = readFileSync(file, 'utf8');
let after = before;
const drifted = [];
for (const [name, rows] of Object.entries(tables)) {
  const place = new RegExp(`(<!-- ${name}: made by npm run readme -->\n)[\\s\\S]*?(<!-- end -->)`);
  if (!place.test(after)) drifted.push(`${name} (its place in README.md is missing)`);
  const filled = after.replace(place, (_whole, begin, end) => `${begin}\n${rows.trimEnd()}\n\n${end}`);
  if (filled !== after) drifted.push(name);
  after = filled;
}
if (!process.argv.includes('--check')) writeFileSync(file, after);
else if (drifted.length > 0) {
  console.error(`README.md differs from the code in: ${drifted.join(', ')}; run npm run readme`);
  process.exitCode = 1;
}

function table(head, rows) {
  return [head, head.map(() => '---'), ...rows]
    .map((cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`)
    .join('\n');
}

function waits({ baseMs, capMs }) {
  return `up to ${formatDuration(baseMs)}, doubling up to ${formatDuration(capMs)}`;
}
