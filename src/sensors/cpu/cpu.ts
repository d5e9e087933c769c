/**
 * CPU utilisation between two samples, of all CPUs and of each. Waiting for a disk counts as idle; time
 * stolen by a hypervisor counts as busy, because the work had to wait. There is no value
 *
 * - in the first sample, and for a CPU that is offline;
 * - if a time ran back (a CPU went offline in between), or more time was counted than has passed;
 * - in the sample after that, unless the times add up to the interval.
 *
 * Waiting for a disk can run back a little by design, and then counts as no time if the others add up to the
 * interval. A stolen time that is nonsense, as after a live migration, is left out for as long as it is.
 */

import { BROKEN_ROUNDS_MIN } from '../devices/counter-rates.ts';
import { Discovery } from '../devices/discovery.ts';
import type { HostFiles } from '../files/host-files.ts';
import { InvalidValueError, invalidCounter, parseCounters, splitLines } from '../files/parse.ts';
import type { CatalogueEntry, Collector, NumberEntry } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

export const cpu: Collector = {
  name: 'cpu',
  catalogue: [
    entry('cpuUsePercent', 'minimal', 'share of time the CPUs were busy, since the previous sample'),
    entry('cpu*UsePercent', 'full', 'share of time one CPU was busy, since the previous sample'),
  ],
  notes: [
    'If a time of /proc/stat runs back, or more time is counted than has passed, there is no value, because the rest would look like a busy CPU.',
    'Waiting for a disk may run back a little and then counts as no time, if the other times add up to the interval.',
    'Time stolen by a hypervisor counts as busy; while it is nonsense, as after a live migration, the values are without it.',
  ],
  open(hostFiles, clock, isSelected) {
    const linesMax = isSelected('cpu*UsePercent') ? 1 + CPUS_MAX : 1;
    const cpuCount = new Discovery(clock, () => countCpus(hostFiles));
    let meters = new Map<string, UseMeter>();
    return () => {
      const lines = readLines(hostFiles, linesMax);
      const atMs = clock.monotonicMs();
      const read = new PartialRead();
      const present = new Map<string, UseMeter>();
      for (const [label, line] of lines) {
        const meter = meters.get(label) ?? new UseMeter(label);
        present.set(label, meter);
        read.attemptValue(label, `${label}UsePercent`, () =>
          meter.next(line, atMs, label === 'cpu' ? cpuCount.current : 1),
        );
        if (meter.problem !== undefined) read.fail('counters', new InvalidValueError(meter.problem));
        // CPUs may have come online since they were counted.
        if (meter.hasJumped) cpuCount.invalidate();
      }
      meters = present;
      if (!lines.has('cpu'))
        read.fail('cpu', new InvalidValueError('/proc/stat does not begin with the line "cpu"'));
      return read.result();
    };
  },
};

/** Each key permanently occupies an entry of the server's key dictionary. */
const CPUS_MAX = 64;
/** user nice system idle iowait irq softirq steal; the guest time that follows is included in user. */
const FIELDS = 8;
const FIELDS_MIN = 4;
const [IDLE, IOWAIT, STEAL] = [3, 4, 7];
/** The lines of the CPUs come first; the long line of interrupts is further down. */
const LINE_BYTES_MAX = 256;
const LABEL = /^cpu\d{0,4}(?= )/;
/** USER_HZ: the kernel reports hundredths of a second on every architecture that Node.js supports. */
const TICKS_PER_S = 100;
/** The share of the elapsed time that is counted at most; some CPUs are credited their time late. */
const COUNTED_SHARE_MAX = 1.5;
const LATE_S = 1;
/** How far the counted time may be from the elapsed time in case of doubt, as a share of it. */
const DOUBT_TOLERANCE = 0.02;

/** What follows each label; undefined for one in several lines. */
function readLines(hostFiles: HostFiles, linesMax: number): ReadonlyMap<string, string | undefined> {
  const lines = new Map<string, string | undefined>();
  const text = hostFiles.read('proc/stat', linesMax * LINE_BYTES_MAX);
  for (const line of splitLines(text, 'proc/stat')) {
    const label = LABEL.exec(line)?.[0];
    if (label === undefined) continue;
    lines.set(label, lines.has(label) ? undefined : line.slice(label.length));
    if (lines.size >= linesMax) break;
  }
  return lines;
}

/** CPUs that are online; 0 if the kernel lists none. */
function countCpus(hostFiles: HostFiles): number {
  const text = hostFiles.read('proc/stat', (1 + CPUS_MAX) * LINE_BYTES_MAX);
  return text.split('\ncpu').length - 1;
}

/** The use of one CPU, or of all. */
class UseMeter {
  readonly #label: string;
  #ticks: readonly number[] | undefined;
  #atMs = 0;
  #hasJumped = false;
  /** A time ran back or jumped in the last round, so that it can return in this one. */
  #isInDoubt = false;
  /** Rounds in a row without a use, and with a stolen time that is left out. */
  #roundsWithoutUse = 0;
  #roundsWithoutSteal = 0;

  constructor(label: string) {
    this.#label = label;
  }

  /** Why values have been missing for so long that it is no accident; undefined if they have not. */
  get problem(): string | undefined {
    if (this.#roundsWithoutUse >= BROKEN_ROUNDS_MIN)
      return `the times of "${this.#label}" in /proc/stat stand still, run back or jump in each sample`;
    if (this.#roundsWithoutSteal >= BROKEN_ROUNDS_MIN)
      return `the stolen time of "${this.#label}" in /proc/stat is nonsense and left out of its use`;
    return undefined;
  }

  /** In the last round more time was counted than had passed. */
  get hasJumped(): boolean {
    return this.#hasJumped;
  }

  /** `line` follows the label. `cpus`: the number of CPUs of which it is the sum; 0 if unknown. */
  next(line: string | undefined, atMs: number, cpus: number): number | undefined {
    const previous = this.#ticks;
    const elapsedMs = atMs - this.#atMs;
    this.#ticks = undefined;
    this.#hasJumped = false;
    const ticks = parseTicks(line, this.#label);
    // Zeros are there for one sample at times; a restart of the counters does not look like it.
    if (ticks === undefined) {
      this.#roundsWithoutUse += 1;
      return undefined;
    }
    this.#ticks = ticks;
    this.#atMs = atMs;
    if (previous === undefined || elapsedMs <= 0) return undefined;
    const use = this.#useBetween(previous, ticks, elapsedMs / 1000, cpus * TICKS_PER_S);
    if (use === undefined) this.#roundsWithoutUse += 1;
    else this.#roundsWithoutUse = 0;
    return use;
  }

  #useBetween(
    previous: readonly number[],
    now: readonly number[],
    seconds: number,
    ticksPerS: number,
  ): number | undefined {
    let counted = 0;
    let idle = 0;
    let hasRunBack = false;
    let hasIowaitRunBack = false;
    for (let field = 0; field < now.length; field += 1) {
      if (field === STEAL) continue;
      const step = (now[field] ?? 0) - (previous[field] ?? 0);
      if (step >= 0) counted += step;
      else if (field === IOWAIT) hasIowaitRunBack = true;
      else hasRunBack = true;
      if (step > 0 && (field === IDLE || field === IOWAIT)) idle += step;
    }
    const countedMax =
      ticksPerS === 0 ? Number.POSITIVE_INFINITY : ticksPerS * (seconds * COUNTED_SHARE_MAX + LATE_S);
    const total = counted + this.#stolenBetween(previous[STEAL], now[STEAL], countedMax - counted);
    const isInDoubt = hasIowaitRunBack || this.#isInDoubt;
    this.#hasJumped = total > countedMax;
    this.#isInDoubt = hasRunBack || hasIowaitRunBack || this.#hasJumped;
    if (hasRunBack || this.#hasJumped || total === 0) return undefined;
    const elapsed = ticksPerS * seconds;
    if (isInDoubt && !(Math.abs(total - elapsed) <= elapsed * DOUBT_TOLERANCE)) return undefined;
    return (100 * (total - idle)) / total;
  }

  /** 0 if the stolen time is nonsense, and in the round after it was. */
  #stolenBetween(previous: number | undefined, now: number | undefined, max: number): number {
    if (previous === undefined || now === undefined) return 0;
    const step = now - previous;
    const isSound = step >= 0 && step <= max && Number.isSafeInteger(now);
    const isCounted = isSound && this.#roundsWithoutSteal === 0;
    this.#roundsWithoutSteal = isSound ? 0 : this.#roundsWithoutSteal + 1;
    return isCounted ? step : 0;
  }
}

/** NaN for a stolen time that is none; undefined if all are zero. Throws for any other invalid field. */
function parseTicks(line: string | undefined, label: string): readonly number[] | undefined {
  if (line === undefined) throw new InvalidValueError(`/proc/stat has several lines "${label}"`);
  const ticks = parseCounters(line, FIELDS);
  if (ticks.length < FIELDS_MIN)
    throw new InvalidValueError(`the line "${label}" of /proc/stat is too short`);
  let isZero = true;
  for (let field = 0; field < ticks.length; field += 1) {
    if (ticks[field] !== 0) isZero = false;
    if (field !== STEAL && !Number.isSafeInteger(ticks[field]))
      throw invalidCounter(line, field, `a field of "${label}" in /proc/stat`);
  }
  return isZero ? undefined : ticks;
}

function entry(key: string, profile: NumberEntry['profile'], meaning: string): CatalogueEntry {
  const bounds = { min: 0, max: 100, decimals: 1 };
  return { key, type: 'number', profile, unit: '%', ...bounds, meaning, source: 'proc_stat(5), lines "cpu"' };
}
