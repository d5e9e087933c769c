/** Checks the systemd service: enabled, active, with watchdog, able to run Node, and running the installed version. */

import { type Check, type CheckResult, fail, pass, skip } from './check.ts';
import { explainServiceFailure, type HostFindings } from './service-failure.ts';
import type { UnitState } from './unit-state.ts';

export interface ServiceVersions {
  /** Of the running agent; null if none runs. */
  readonly running: string | null;
  readonly installed: string;
}

/** `readUnit` resolves with undefined without systemd; `inspectHost` looks for the cause of a failure. */
export function serviceCheck(
  readUnit: (signal: AbortSignal) => Promise<UnitState | undefined>,
  inspectHost: (unit: UnitState) => HostFindings,
  versions: ServiceVersions,
): Check {
  return {
    name: 'service',
    run: async (signal) => {
      const unit = await readUnit(signal);
      if (unit === undefined) return skip('systemd is not available');
      return checkService(unit, inspectHost(unit), versions);
    },
  };
}

function checkService(
  unit: UnitState,
  findings: HostFindings,
  { running, installed }: ServiceVersions,
): CheckResult {
  const { loadState, unitFileState, activeState, subState, lastExit, watchdog } = unit;
  if (loadState !== 'loaded') return skip('firstlight.service is not installed');
  if (unitFileState === 'disabled' || unitFileState === 'masked')
    return fail(
      `the service is ${unitFileState}`,
      'the agent will not start at the next boot',
      'enable it: sudo systemctl enable --now firstlight',
    );
  const failure = explainServiceFailure(unit, findings);
  if (failure)
    return fail(
      `the service is ${activeState} (${subState}); systemd could not start it: ${failure.code}`,
      failure.meaning,
      failure.action,
    );
  const lastExitText =
    lastExit.by === 'code' ? `exit code was ${lastExit.status}` : `signal was ${lastExit.status}`;
  if (activeState === 'inactive')
    return fail(
      `the service is inactive (${subState}); its last ${lastExitText}`,
      'the service was stopped and will start only at the next boot',
      'start it: sudo systemctl start firstlight',
    );
  if (activeState !== 'active')
    return fail(
      `the service is ${activeState} (${subState}), its last ${lastExitText}`,
      lastExit.status === 78 ? 'the configuration is invalid' : 'the agent is not running',
      'read the log: journalctl -u firstlight -n 20; then: sudo systemctl restart firstlight',
    );
  // It runs from memory, and would not start again.
  if (findings.node)
    return fail(
      'the service is active, but could not start again',
      findings.node.cause,
      findings.node.remedy,
    );
  if (running !== null && running !== installed)
    return fail(
      `version ${running} is running, version ${installed} is installed`,
      'the upgrade is not in use yet',
      'restart it: sudo systemctl restart firstlight',
    );
  return pass(
    `enabled, active${watchdog !== '' && watchdog !== '0' ? `, watchdog ${watchdog}` : ', no watchdog'}`,
  );
}
