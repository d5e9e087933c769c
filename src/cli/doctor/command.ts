/**
 * `firstlight doctor`: checks each step from this host to the server, with its own sockets and without the agent's lock. Changes
 * nothing, except that --provision provisions the gateway first. Ends within about 20 s.
 *
 * Exit codes: 0 all passed, 1 a check failed, 130 cancelled; with --bundle 0 written, 73 (EX_CANTCREAT) not written.
 */

import { setMaxListeners } from 'node:events';
import { EX_FAILED, EX_OK, EX_STOPPED } from '../../app/exit-codes.ts';
import { stateDirectory } from '../../app/paths.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { type CheckResult, type CompletedCheck, skip } from '../../doctor/check.ts';
import { runChecks } from '../../doctor/run-checks.ts';
import { hostClock } from '../../host/clock/clock.ts';
import { labelledLines, type StyleText, styleFor } from '../ui/style.ts';
import type { Terminal } from '../ui/terminal.ts';
import { createChecks, type DoctorOptions, loadConfigOrProblems } from './checks.ts';

export const DOCTOR_SCHEMA = 2;

export async function doctorCommand(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
): Promise<number> {
  const clock = hostClock();
  const style = styleFor(terminal);
  // Every check listens to this signal.
  setMaxListeners(0, terminal.ended);
  const isProvisionRequested = options.provision !== undefined;
  const provisioningResult = isProvisionRequested
    ? await provisionBeforeChecks(options, environment, terminal, clock)
    : undefined;
  const print = (checked: CompletedCheck) => {
    if (options.json) return;
    for (const line of checkedLines(checked, terminal.size().columns, style)) terminal.write(`${line}\n`);
  };
  const results = await runAllChecks(options, environment, { clock, terminal, print, provisioningResult });
  const isStopped = terminal.ended.aborted;
  const exitCode = isStopped ? EX_STOPPED : countFailed(results) === 0 ? EX_OK : EX_FAILED;
  const json = jsonOf(results, exitCode);
  if (options.json) terminal.write(json);
  else terminal.write(`${isStopped ? 'cancelled before all checks were done' : summaryOf(results)}\n`);
  if (options.bundle === undefined || isStopped) return exitCode;
  const { writeBundle } = await import('./support-bundle.ts');
  return writeBundle(options, { text: textOf(results), json }, { environment, terminal, clock });
}

/** If it was cancelled while provisioning, that is its only result. */
async function runAllChecks(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  { clock, terminal, print, provisioningResult }: CheckRun,
): Promise<readonly CompletedCheck[]> {
  if (provisioningResult && terminal.ended.aborted) {
    const checked = { name: 'provisioning', result: provisioningResult, tookMs: 0 };
    print(checked);
    return [checked];
  }
  await using checkList = await createChecks(options, environment, clock, provisioningResult);
  return await runChecks(checkList.checks, clock, print, terminal.ended);
}

interface CheckRun {
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly print: (checked: CompletedCheck) => void;
  readonly provisioningResult: CheckResult | undefined;
}

async function provisionBeforeChecks(
  options: DoctorOptions,
  environment: NodeJS.ProcessEnv,
  terminal: Terminal,
  clock: Clock,
): Promise<CheckResult> {
  const loaded = await loadConfigOrProblems(options, environment);
  if (!('config' in loaded)) return skip('the configuration is invalid, so nothing was sent');
  const { PROVISION_S, provisionNow } = await import('./provision.ts');
  const seconds = typeof options.provision === 'number' ? options.provision : PROVISION_S;
  const state = stateDirectory(options, environment);
  if (!options.json)
    terminal.write(`provisioning as the agent does, for at most ${seconds} s; Ctrl-C is safe …\n`);
  return provisionNow(loaded, { state, clock, timeoutMs: seconds * 1000 }, terminal.ended);
}

function countFailed(results: readonly CompletedCheck[]): number {
  return results.filter(({ result }) => result.status === 'fail').length;
}

function summaryOf(results: readonly CompletedCheck[]): string {
  const failedCount = countFailed(results);
  return failedCount === 0
    ? 'all checks passed'
    : failedCount === 1
      ? '1 check failed'
      : `${failedCount} checks failed`;
}

function textOf(results: readonly CompletedCheck[]): string {
  const lines = results.flatMap((checked) =>
    checkedLines(checked, Number.POSITIVE_INFINITY, (_style, text) => text),
  );
  return `${[...lines, summaryOf(results)].join('\n')}\n`;
}

function jsonOf(results: readonly CompletedCheck[], exitCode: number): string {
  const checks = results.map(({ name, result, tookMs }) => ({ check: name, ...result, tookMs }));
  return `${JSON.stringify({ schema: DOCTOR_SCHEMA, exitCode, checks }, undefined, 2)}\n`;
}

const SYMBOLS = { pass: '✓', fail: '✗', skip: '–' } as const;
const STYLES = { pass: 'good', fail: 'bad', skip: 'dim' } as const;
const LABEL = 20;

function checkedLines({ name, result }: CompletedCheck, width: number, style: StyleText): readonly string[] {
  const firstLines = labelledLines(`${SYMBOLS[result.status]} ${name}`, result.observed, LABEL, width);
  const details =
    result.status === 'fail'
      ? [
          ...labelledLines('', `meaning: ${result.meaning}`, LABEL, width),
          ...labelledLines('', `action: ${result.action}`, LABEL, width),
        ]
      : [];
  return [...firstLines.map((line) => style(STYLES[result.status], line)), ...details];
}
