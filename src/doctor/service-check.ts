/** The service: enabled, active, watched, and of the version that is installed. */

import { type Check, cross, dash, type Finding, tick } from './check.ts';

/** What `systemctl show` says, by property; undefined where there is no systemd to ask. */
export type Ask = (signal: AbortSignal) => Promise<string | undefined>;

/** `running` is the version of the agent that runs, where one does; `installed` is ours. */
export function serviceCheck(ask: Ask, running: string | null, installed: string): Check {
  return { name: 'service', look: (signal) => look(ask, running, installed, signal) };
}

async function look(
  ask: Ask,
  running: string | null,
  installed: string,
  signal: AbortSignal,
): Promise<Finding> {
  const output = await ask(signal);
  if (output === undefined) return dash('there is no systemd that could be asked');
  const of = new Map(
    output.split('\n').map((line) => {
      const at = line.indexOf('=');
      return [line.slice(0, at), line.slice(at + 1)] as const;
    }),
  );
  if (of.get('LoadState') !== 'loaded') return dash('firstlight.service is not installed here');
  if (of.get('UnitFileState') === 'disabled' || of.get('UnitFileState') === 'masked')
    return cross(
      `the service is ${of.get('UnitFileState')}`,
      'it does not start at the next boot',
      'enable it: sudo systemctl enable --now firstlight',
    );
  if (of.get('ActiveState') === 'inactive')
    return cross(
      `the service is inactive (${of.get('SubState')}); its last exit code was ${of.get('ExecMainStatus')}`,
      'it was stopped, and nobody starts it before the next boot',
      'start it: sudo systemctl start firstlight',
    );
  if (of.get('ActiveState') !== 'active')
    return cross(
      `the service is ${of.get('ActiveState')} (${of.get('SubState')}), last exit code ${of.get('ExecMainStatus')}`,
      of.get('ExecMainStatus') === '78' ? 'the configuration cannot work' : 'the agent does not run',
      'read the last lines: journalctl -u firstlight -n 20; then: sudo systemctl restart firstlight',
    );
  if (running !== null && running !== installed)
    return cross(
      `version ${running} runs, version ${installed} is installed`,
      'the upgrade is not in use yet',
      'restart it: sudo systemctl restart firstlight',
    );
  const watchdog = of.get('WatchdogUSec');
  return tick(`enabled, active${watchdog && watchdog !== '0' ? `, watchdog ${watchdog}` : ', no watchdog'}`);
}
