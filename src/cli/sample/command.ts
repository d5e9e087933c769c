/**
 * `firstlight sample`: reads the sensors and shows what the agent would send. Needs no server and no credentials; stores nothing.
 *
 * It takes two samples half a second apart and shows the second, because rates and CPU utilisation need two. `--config` selects
 * and scales as the agent does with that file, custom sensors included; `--all` adds values that the agent would not send; `--root`
 * reads another root than that of this host (root.ts).
 */

import type { Writable } from 'node:stream';
import { createPollers } from '../../app/custom-sensors.ts';
import { EX_CONFIG, EX_FAILED, EX_OK, EX_STOPPED } from '../../app/exit-codes.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import type { Values } from '../../core/model/reading.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { SILENT_LOGGER } from '../../core/ports/log.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { openLogger } from '../../host/log/logger.ts';
import { explain } from '../../sensors/explain/explain.ts';
import type { CatalogueEntry } from '../../sensors/runtime/collector.ts';
import { DEFAULT_TUNING } from '../../sensors/runtime/tuning.ts';
import { openSampler } from '../../sensors/sampler.ts';
import { openTerminal, type Terminal } from '../ui/terminal.ts';
import { explanationLines, liveKeyLine, unknownKeyLines } from './explain.ts';
import { emptyRootProblem, openRoot, type SampledRoot } from './root.ts';
import { groupRows } from './rows.ts';
import { createSampleSubject, type SampleSubject } from './subject.ts';
import { tableLines } from './table.ts';
import { watchSamples } from './watch.ts';

export interface SampleOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly watch?: boolean;
  readonly explain?: string;
  readonly config?: string;
  /** Directory or archive of another root. Default: this host. */
  readonly root?: string;
  /** Between two samples, ms. Default: 500; with --watch 1000. */
  readonly interval?: number;
}

export interface SamplePorts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
}

/** Runs the command with the host's clock; warnings of the sensors go to `errorOutput`. */
export async function sampleThisHost(
  options: SampleOptions,
  {
    out,
    errorOutput,
    environment,
  }: { out: NodeJS.WriteStream; errorOutput: Writable; environment: NodeJS.ProcessEnv },
  signal: AbortSignal,
): Promise<number> {
  const clock = hostClock();
  const log = openLogger({ level: 'warn', format: 'text', isJournald: false, clock, stream: errorOutput });
  const terminal = openTerminal(out, environment, signal);
  const code = await sampleCommand(options, { clock, log, terminal, environment });
  await log.close();
  return code;
}

/**
 * Resolves with the exit code: 0; 1 if no sensor could be read, the key is unknown, or the root is none; 66 if the root does not
 * exist or belongs to another user; 78 if the configuration is invalid; 130 after Ctrl-C.
 */
export async function sampleCommand(options: SampleOptions, ports: SamplePorts): Promise<number> {
  const opened = openRoot(options.root, ports.clock);
  if (!opened.ok) {
    ports.terminal.write(`${opened.problem}\n`);
    return opened.code;
  }
  return sampleRoot(options, opened.root, ports);
}

/** Like `sampleCommand`, for a root that is open. */
export async function sampleRoot(
  options: SampleOptions,
  root: SampledRoot,
  { log, terminal, environment }: Omit<SamplePorts, 'clock'>,
): Promise<number> {
  try {
    const subject = createSampleSubject(options, root, environment);
    const ports = { root, log, terminal };
    if (subject.readable.length === 0) {
      terminal.write(`${emptyRootProblem(options.root ?? '/')}\n`);
      return EX_FAILED;
    }
    if (options.explain !== undefined) return await explainKey(options.explain, options, subject, ports);
    return options.watch === true
      ? await watchSensors(options, subject, ports)
      : await sampleOnce(options, subject, ports);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    terminal.write(`${error.message}\n`);
    return EX_CONFIG;
  }
}

interface OpenPorts extends Pick<SamplePorts, 'log' | 'terminal'> {
  readonly root: SampledRoot;
}

const BETWEEN_SAMPLES_MS = 500;
const WATCH_MS = 1000;

async function sampleOnce(options: SampleOptions, subject: SampleSubject, ports: OpenPorts): Promise<number> {
  const {
    root: { clock, isOther },
    terminal,
  } = ports;
  const { sensors, pollers } = sensorsOf(options, subject, ports);
  const startedMs = clock.monotonicMs();
  await sensors.sample();
  await Promise.all([
    clock.sleep(options.interval ?? BETWEEN_SAMPLES_MS, terminal.ended),
    pollers.pollOnce(terminal.ended),
  ]);
  if (terminal.ended.aborted) return EX_STOPPED;
  const values = await sensors.sample();
  // The files of another root do not say when they were read.
  const head = isOther ? { root: options.root } : { tsMs: clock.wallMs() };
  if (options.json) terminal.write(`${JSON.stringify({ ...head, values })}\n`);
  else {
    const lines = [
      ...tableLines(groupRows(values, subject), terminal.size().columns),
      ...(isOther ? otherRootLines(subject, clock.monotonicMs() === startedMs) : []),
    ];
    terminal.write(lines.map((line) => `${line}\n`).join(''));
  }
  return Object.keys(values).length > 0 ? EX_OK : EX_FAILED;
}

const STILL_LINE = 'There are no rates: the time of this root stands still, as in a capture.';

/** What the table of another root leaves out, and why. */
function otherRootLines({ tuning }: SampleSubject, isStill: boolean): readonly string[] {
  const polled = tuning.custom.filter(({ kind }) => kind !== 'file').map(({ name }) => name);
  return [
    'Only the files of this root were read; the use of its file systems is known to the running host only.',
    ...(isStill ? [STILL_LINE] : []),
    ...(polled.length > 0
      ? [`Not read, because they would be those of this host: ${polled.join(', ')}.`]
      : []),
  ];
}

async function watchSensors(
  options: SampleOptions,
  subject: SampleSubject,
  ports: OpenPorts,
): Promise<number> {
  const { root, terminal } = ports;
  // A log line would break the screen. An unreadable value is absent there; `sample` without --watch logs the reason.
  const log = terminal.isLive ? SILENT_LOGGER : ports.log;
  const { sensors, pollers } = sensorsOf(options, subject, { ...ports, log });
  const group = (values: Values) => groupRows(values, subject);
  const everyMs = options.interval ?? WATCH_MS;
  const [code] = await Promise.all([
    watchSamples({ clock: root.clock, terminal, sensors, group, everyMs }),
    pollers.run(terminal.ended),
  ]);
  return code;
}

async function explainKey(
  name: string,
  { interval = BETWEEN_SAMPLES_MS }: SampleOptions,
  subject: SampleSubject,
  ports: OpenPorts,
): Promise<number> {
  const { root, terminal } = ports;
  const { readable, hostFiles, transformValue, describeKey } = subject;
  const write = (lines: readonly string[]) => terminal.write(lines.map((line) => `${line}\n`).join(''));
  const keyInfo = describeKey(name);
  if (keyInfo?.isPolled) {
    const from = `from the configured sensor ${keyInfo.sensor}`;
    write([
      `${name}: ${keyInfo.entry.meaning}, ${root.isOther ? 'which another root does not have' : from}.`,
    ]);
    return EX_OK;
  }
  if (keyInfo !== undefined && !readable.some((collector) => collector.name === keyInfo.sensor)) {
    write([liveKeyLine(name, keyInfo.entry)]);
    return EX_OK;
  }
  const startedMs = root.clock.monotonicMs();
  const host = { hostFiles, clock: root.clock, pauseMs: interval };
  const explanation = keyInfo && (await explain(keyInfo.key, readable, host, terminal.ended));
  if (terminal.ended.aborted) return EX_STOPPED;
  if (explanation === undefined) {
    write(unknownKeyLines(name, subject.collectors, await availableKeys(subject, ports)));
    return EX_FAILED;
  }
  const { key, value } = explanation;
  const { unit, isSent = false } = keyInfo ?? {};
  const sent = value === undefined ? undefined : transformValue(key, value);
  const isStill = root.isOther && root.clock.monotonicMs() === startedMs;
  write([
    ...explanationLines(explanation, { unit, isSent, sent }),
    ...(isStill && value === undefined && isRate(explanation.entry) ? [STILL_LINE] : []),
  ]);
  return EX_OK;
}

function isRate({ meaning }: CatalogueEntry): boolean {
  return meaning.includes('since the previous sample');
}

/** Every key of the root, and the names to which the configuration renames some of them. */
async function availableKeys({ readable, hostFiles, tuning }: SampleSubject, { root, log }: OpenPorts) {
  const values = await openSampler(readable, hostFiles, root.clock, log).sample();
  return [...Object.keys(values), ...tuning.rename.values()];
}

/** Programs and GPIO lines are those of this host, so another root has none. */
function sensorsOf({ all }: SampleOptions, subject: SampleSubject, { root, log }: OpenPorts) {
  const { clock, isOther } = root;
  const tuning = all === true ? { ...subject.tuning, selection: DEFAULT_TUNING.selection } : subject.tuning;
  const pollers = createPollers(isOther ? { ...tuning, custom: [] } : tuning, { clock, log });
  return {
    sensors: openSampler(subject.readable, subject.hostFiles, clock, log, tuning, {
      polledValues: () => pollers.latest(),
    }),
    pollers,
  };
}
