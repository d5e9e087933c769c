/**
 * `firstlight sample`: reads the sensors and shows what the agent would send. Needs no server and no credentials; stores nothing.
 *
 * It takes two samples half a second apart and shows the second, because rates and CPU utilisation need two. `--config` selects
 * and scales as the agent does with that file, custom sensors included; `--all` adds values that the agent would not send.
 */

import type { Writable } from 'node:stream';
import { createPollers } from '../../app/custom-sensors.ts';
import { EX_CONFIG, EX_FAILED, EX_OK } from '../../app/exit-codes.ts';
import { ConfigError } from '../../config/errors/problem.ts';
import type { Values } from '../../core/model/reading.ts';
import type { Clock } from '../../core/ports/clock.ts';
import type { Logger } from '../../core/ports/log.ts';
import { SILENT_LOGGER } from '../../core/ports/log.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { openLogger } from '../../host/log/logger.ts';
import { explain } from '../../sensors/explain/explain.ts';
import { DEFAULT_TUNING } from '../../sensors/runtime/tuning.ts';
import { openSampler } from '../../sensors/sampler.ts';
import { openTerminal, type Terminal } from '../ui/terminal.ts';
import { explanationLines, unknownKeyLines } from './explain.ts';
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
  /** Root of a captured host. Default: `/`. */
  readonly root?: string;
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

/** Resolves with the exit code: 0; 1 if no sensor could be read or the key is unknown; 78 if the configuration is invalid. */
export async function sampleCommand(options: SampleOptions, ports: SamplePorts): Promise<number> {
  try {
    const subject = createSampleSubject(options, ports.environment);
    if (options.explain !== undefined) return await explainKey(options.explain, subject, ports);
    return options.watch === true
      ? await watchSensors(options, subject, ports)
      : await sampleOnce(options, subject, ports);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    ports.terminal.write(`${error.message}\n`);
    return EX_CONFIG;
  }
}

const BETWEEN_SAMPLES_MS = 500;

async function sampleOnce(
  options: SampleOptions,
  subject: SampleSubject,
  ports: SamplePorts,
): Promise<number> {
  const { clock, terminal } = ports;
  const { sensors, pollers } = sensorsOf(options, subject, ports);
  await sensors.sample();
  await Promise.all([clock.sleep(BETWEEN_SAMPLES_MS, terminal.ended), pollers.pollOnce(terminal.ended)]);
  const values = await sensors.sample();
  if (options.json) terminal.write(`${JSON.stringify({ tsMs: clock.wallMs(), values })}\n`);
  else {
    const lines = tableLines(groupRows(values, subject), terminal.size().columns);
    terminal.write(lines.map((line) => `${line}\n`).join(''));
  }
  return Object.keys(values).length > 0 ? EX_OK : EX_FAILED;
}

async function watchSensors(
  options: SampleOptions,
  subject: SampleSubject,
  ports: SamplePorts,
): Promise<number> {
  // A log line would break the screen. An unreadable value is absent there; `sample` without --watch logs the reason.
  const log = ports.terminal.isLive ? SILENT_LOGGER : ports.log;
  const { sensors, pollers } = sensorsOf(options, subject, { ...ports, log });
  const group = (values: Values) => groupRows(values, subject);
  const [code] = await Promise.all([
    watchSamples({ ...ports, sensors, group }),
    pollers.run(ports.terminal.ended),
  ]);
  return code;
}

async function explainKey(name: string, subject: SampleSubject, ports: SamplePorts): Promise<number> {
  const { clock, terminal } = ports;
  const { collectors, hostFiles, transformValue, describeKey } = subject;
  const keyInfo = describeKey(name);
  if (keyInfo?.isPolled) {
    terminal.write(`${name}: ${keyInfo.entry.meaning}, from the configured sensor ${keyInfo.sensor}.\n`);
    return EX_OK;
  }
  const host = { hostFiles, clock, pauseMs: BETWEEN_SAMPLES_MS };
  const explanation = keyInfo && (await explain(keyInfo.key, collectors, host, terminal.ended));
  const lines =
    explanation === undefined
      ? unknownKeyLines(name, collectors, await availableKeys(subject, ports))
      : explanationLines(explanation, {
          unit: keyInfo?.unit,
          isSent: keyInfo?.isSent ?? false,
          sent:
            explanation.value === undefined ? undefined : transformValue(explanation.key, explanation.value),
        });
  terminal.write(lines.map((line) => `${line}\n`).join(''));
  return explanation === undefined ? EX_FAILED : EX_OK;
}

/** Every key of this host, and the names to which the configuration renames some of them. */
async function availableKeys({ collectors, hostFiles, tuning }: SampleSubject, { clock, log }: SamplePorts) {
  const values = await openSampler(collectors, hostFiles, clock, log).sample();
  return [...Object.keys(values), ...tuning.rename.values()];
}

function sensorsOf(
  { all }: SampleOptions,
  subject: SampleSubject,
  { clock, log }: Pick<SamplePorts, 'clock' | 'log'>,
) {
  const tuning = all === true ? { ...subject.tuning, selection: DEFAULT_TUNING.selection } : subject.tuning;
  const pollers = createPollers(tuning, { clock, log });
  return {
    sensors: openSampler(subject.collectors, subject.hostFiles, clock, log, tuning, {
      polledValues: () => pollers.latest(),
    }),
    pollers,
  };
}
