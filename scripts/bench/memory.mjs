/**
 * Memory of the agent beside an idle Node of the same age, from /proc/PID/smaps_rollup.
 *
 * RSS counts pages shared with other processes in full, PSS in shares. PSS depends on the number of Node processes (here: five
 * and the bench, of one binary). Private memory is freed when the process exits.
 */

import { readFileSync } from 'node:fs';
import { BARE, flagsOfTheUnit, sleep, start } from './programs.mjs';

const RSS_RATIO_MAX = 1.3;
const INTERVAL_S = 10;

export async function measureMemory(bundle, sandbox, seconds) {
  const flags = flagsOfTheUnit();
  const programs = [
    start(BARE),
    start([...flags, bundle, ...sandbox.home({ intervalS: INTERVAL_S })]),
    start([bundle, ...sandbox.home({ intervalS: INTERVAL_S })]),
  ];
  await sleep(seconds * 1000);
  const [bare, agent, unflagged] = programs.map(({ pid }) => memoryOf(pid));
  await Promise.all(programs.map((program) => program.stop()));
  const of = (what, name, at) => ({ name: `${name} of ${what}`, value: at, unit: 'MiB' });
  const kinds = ['RSS', 'PSS', 'private'];
  return [
    ...kinds.map((kind) => of('bare node', kind, bare[kind])),
    ...kinds.map((kind) => of('the agent', kind, agent[kind])),
    ...kinds.map((kind) => of('the agent without flags', kind, unflagged[kind])),
    { name: 'RSS, agent : bare node', value: agent.RSS / bare.RSS, unit: 'x', max: RSS_RATIO_MAX },
    { name: 'RSS, agent without flags : bare node', value: unflagged.RSS / bare.RSS, unit: 'x' },
    { name: 'PSS, agent : bare node', value: agent.PSS / bare.PSS, unit: 'x' },
  ];
}

export function memoryOf(pid) {
  const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const mib = (field) => Number(rollup.match(new RegExp(`^${field}: +(\\d+) kB`, 'm'))[1]) / 1024;
  return { RSS: mib('Rss'), PSS: mib('Pss'), private: mib('Private_Clean') + mib('Private_Dirty') };
}
