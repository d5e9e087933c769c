/** Checks the systemd service: enabled, active, with watchdog, and running the installed version. */

import { type Check, type CheckResult, fail, pass, skip } from './check.ts';

/** Resolves with the output of `systemctl show`; undefined without systemd. */
export type ReadProperties = (signal: AbortSignal) => Promise<string | undefined>;

/** `running` is the version of the running agent, null if none runs. */
export function serviceCheck(
  readProperties: ReadProperties,
  running: string | null,
  installed: string,
): Check {
  return { name: 'service', run: (signal) => checkService(readProperties, running, installed, signal) };
}

async function checkService(
  readProperties: ReadProperties,
  running: string | null,
  installed: string,
  signal: AbortSignal,
): Promise<CheckResult> {
  const output = await readProperties(signal);
  if (output === undefined) return skip('systemd is not available');
  const properties = new Map(
    output.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  if (properties.get('LoadState') !== 'loaded') return skip('firstlight.service is not installed');
  if (properties.get('UnitFileState') === 'disabled' || properties.get('UnitFileState') === 'masked')
    return fail(
      `the service is ${properties.get('UnitFileState')}`,
      'the agent will not start at the next boot',
      'enable it: sudo systemctl enable --now firstlight',
    );
  if (properties.get('ActiveState') === 'inactive')
    return fail(
      `the service is inactive (${properties.get('SubState')}); its last exit code was ${properties.get('ExecMainStatus')}`,
      'the service was stopped and will start only at the next boot',
      'start it: sudo systemctl start firstlight',
    );
  if (properties.get('ActiveState') !== 'active')
    return fail(
      `the service is ${properties.get('ActiveState')} (${properties.get('SubState')}), last exit code ${properties.get('ExecMainStatus')}`,
      properties.get('ExecMainStatus') === '78' ? 'the configuration is invalid' : 'the agent is not running',
      'read the log: journalctl -u firstlight -n 20; then: sudo systemctl restart firstlight',
    );
  if (running !== null && running !== installed)
    return fail(
      `version ${running} is running, version ${installed} is installed`,
      'the upgrade is not in use yet',
      'restart it: sudo systemctl restart firstlight',
    );
  const watchdog = properties.get('WatchdogUSec');
  return pass(`enabled, active${watchdog && watchdog !== '0' ? `, watchdog ${watchdog}` : ', no watchdog'}`);
}
