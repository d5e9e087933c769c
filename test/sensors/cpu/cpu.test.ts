/** CPU utilisation while the counters of /proc/stat run back, jump or hold nonsense. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Values } from '../../../src/core/model/reading.ts';
import { CapturedHost } from '../helpers/captured-host.ts';
import { valuesWithPrefix } from '../helpers/renumber-devices.ts';

/** user nice system idle iowait irq softirq steal guest guestNice */
type Line = readonly number[];

const INTERVAL_MS = 10_000;

/** The values of a host with these lines, 10 s apart; the line `cpu` comes first. */
class StatHost {
  readonly host: CapturedHost;
  constructor(host: CapturedHost) {
    this.host = host;
  }

  async sample(lines: Readonly<Record<string, Line | string>>): Promise<Values> {
    const text = Object.entries(lines).map(([label, line]) => {
      const numbers = typeof line === 'string' ? line : line.join(' ');
      return `${label}${label === 'cpu' ? ' ' : ''} ${numbers}\n`;
    });
    this.host.write('proc/stat', `${text.join('')}intr 1 2 3\nctxt 1\n`);
    return valuesWithPrefix(await this.host.sampleAfter(INTERVAL_MS), 'cpu');
  }
}

const openHost = (...parameters: ConstructorParameters<typeof CapturedHost>) =>
  new StatHost(new CapturedHost(...parameters));

it('an idle time that runs back gives no utilisation', async (t) => {
  const stat = openHost('x86-vm', t);
  const before = [1000, 0, 500, 400000, 100, 0, 10, 0, 0, 0];
  const after = [1040, 0, 500, 399980, 100, 0, 10, 0, 0, 0];
  await stat.sample({ cpu: before, cpu0: before });
  assert.deepEqual(await stat.sample({ cpu: after, cpu0: after }), {});
  const well = [1080, 0, 500, 400940, 100, 0, 10, 0, 0, 0];
  assert.deepEqual(await stat.sample({ cpu: well, cpu0: well }), { cpuUsePercent: 4, cpu0UsePercent: 4 });
  assert.deepEqual(stat.host.logger.lines, []);
});

it('an idle time of one CPU that runs back costs only that CPU', async (t) => {
  const stat = openHost('x86-vm', t);
  await stat.sample({
    cpu: [2000, 0, 1000, 800000, 200, 0, 20, 0],
    cpu0: [1000, 0, 500, 400000, 100, 0, 10, 0],
    cpu1: [1000, 0, 500, 400000, 100, 0, 10, 0],
  });
  const values = await stat.sample({
    cpu: [2080, 0, 1000, 801920, 200, 0, 20, 0],
    cpu0: [1040, 0, 500, 400960, 100, 0, 10, 0],
    cpu1: [1040, 0, 500, 399980, 100, 0, 10, 0],
  });
  assert.deepEqual(values, { cpuUsePercent: 4, cpu0UsePercent: 4 });
});

it('an iowait that runs back counts as no time if the rest fills the interval', async (t) => {
  const stat = openHost('x86-vm', t);
  const before = [1000, 0, 500, 400000, 100, 0, 10, 0];
  await stat.sample({ cpu: before, cpu0: before });
  const next = [1040, 0, 500, 400960, 99, 0, 10, 0];
  assert.equal((await stat.sample({ cpu: next, cpu0: next }))['cpuUsePercent'], 4);
  const unclear = [1080, 0, 500, 401020, 50, 0, 10, 0];
  assert.equal((await stat.sample({ cpu: unclear, cpu0: unclear }))['cpuUsePercent'], undefined);
});

it('a steal beyond 2^53 is left out of the utilisation and logged once', async (t) => {
  const stat = openHost('x86-vm', t);
  const line = (round: number) =>
    [1000 + 100 * round, 0, 500, 400000 + 900 * round, 100, 0, 10, '18446744073709400000', 0, 0].join(' ');
  await stat.sample({ cpu: line(0), cpu0: line(0) });
  for (let round = 1; round < 30; round += 1) {
    assert.deepEqual(await stat.sample({ cpu: line(round), cpu0: line(round) }), {
      cpuUsePercent: 10,
      cpu0UsePercent: 10,
    });
  }
  assert.deepEqual(stat.host.logger.lines, ['warn cpu']);
});

it('a steal that falls with each sample is left out and logged once', async (t) => {
  const stat = openHost('x86-vm', t);
  const line = (round: number) => [
    1000 + 100 * round,
    0,
    500,
    400000 + 900 * round,
    100,
    0,
    10,
    900000000000 - 832457433 * round,
  ];
  await stat.sample({ cpu: line(0), cpu0: line(0) });
  for (let round = 1; round < 30; round += 1) {
    assert.equal((await stat.sample({ cpu: line(round), cpu0: line(round) }))['cpuUsePercent'], 10);
  }
  assert.deepEqual(stat.host.logger.lines, ['warn cpu']);
});

it('counters that are zero for one sample give no utilisation in it and after it', async (t) => {
  const stat = openHost('x86-vm', t);
  const line = (round: number) => [1000 + 100 * round, 0, 500, 400000 + 900 * round, 100, 0, 10, 0];
  await stat.sample({ cpu: line(0), cpu0: line(0) });
  const zeros = [0, 0, 0, 0, 0, 0, 0, 0];
  assert.deepEqual(await stat.sample({ cpu: zeros, cpu0: zeros }), {});
  assert.deepEqual(await stat.sample({ cpu: line(2), cpu0: line(2) }), {});
  const values = await stat.sample({ cpu: line(3), cpu0: line(3) });
  assert.deepEqual(values, { cpuUsePercent: 10, cpu0UsePercent: 10 });
});

it('a step of more time than has passed gives no utilisation', async (t) => {
  const stat = openHost('x86-vm', t);
  await stat.sample({ cpu: [1000, 0, 500, 400000], cpu0: [1000, 0, 500, 400000] });
  const jumped = [4_294_968_296, 0, 500, 400900];
  assert.deepEqual(await stat.sample({ cpu: jumped, cpu0: jumped }), {});
});

it('idle times that run back in each sample are logged once', async (t) => {
  const stat = openHost('x86-vm', t);
  for (let round = 0; round < 30; round += 1) {
    const cpu0 = [1000 + 100 * round, 0, 500, 400000 - round];
    const values = await stat.sample({ cpu: [1000 + 100 * round, 0, 500, 400000 + 900 * round], cpu0 });
    assert.deepEqual(values, round === 0 ? {} : { cpuUsePercent: 10 });
  }
  assert.deepEqual(stat.host.logger.lines, ['warn cpu']);
});

for (const [what, lines] of Object.entries({
  'a field that is no number': { cpu1: '1040 0 x 400960 100 0 10 0' },
  'a field below zero': { cpu1: '1040 0 -5 400960 100 0 10 0' },
  'too few fields': { cpu1: '1040 0' },
})) {
  it(`${what} costs only the CPU of its line`, async (t) => {
    const stat = openHost('x86-vm', t);
    const line = (round: number) => [1000 + 40 * round, 0, 500, 400000 + 960 * round, 100, 0, 10, 0];
    const sum = (round: number) => line(round).map((ticks) => 2 * ticks);
    await stat.sample({ cpu: sum(0), cpu0: line(0), cpu1: line(0) });
    const values = await stat.sample({ cpu: sum(1), cpu0: line(1), ...lines });
    assert.deepEqual(values, { cpuUsePercent: 4, cpu0UsePercent: 4 });
    assert.deepEqual(stat.host.logger.lines, ['warn cpu']);
  });
}

it('a CPU in two lines has no utilisation', async (t) => {
  const stat = openHost('x86-vm', t);
  const line = (round: number) => `${1000 + 40 * round} 0 500 ${400000 + 960 * round}`;
  await stat.sample({ cpu: line(0), cpu0: line(0) });
  stat.host.write('proc/stat', `cpu  ${line(1)}\ncpu0 ${line(1)}\ncpu0 0 0 0 0\nintr 1\n`);
  const values = valuesWithPrefix(await stat.host.sampleAfter(INTERVAL_MS), 'cpu');
  assert.deepEqual(values, { cpuUsePercent: 4 });
});

it('a negative number of processes has no effect', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const well = await pi.sampleAfter(0);
  pi.edit('proc/stat', /^processes .*$/m, 'processes -2045677862');
  assert.deepEqual(Object.keys(await pi.sampleAfter(0)).sort(), Object.keys(well).sort());
  assert.deepEqual(pi.logger.lines, []);
});

it('a steal that is zero for one sample counts as no time in it and after it', async (t) => {
  const stat = openHost('x86-vm', t);
  const line = (round: number, steal: number) => [
    1000 + 100 * round,
    0,
    500,
    400000 + 900 * round,
    100,
    0,
    10,
    steal,
  ];
  const seen: unknown[] = [];
  for (const [round, steal] of [500, 500, 0, 500, 500].entries()) {
    const values = await stat.sample({ cpu: line(round, steal), cpu0: line(round, steal) });
    seen.push(values['cpuUsePercent']);
  }
  assert.deepEqual(seen, [undefined, 10, 10, 10, 10]);
  assert.deepEqual(stat.host.logger.lines, []);
});
