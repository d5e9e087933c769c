/**
 * Why systemd cannot start the service: failures before the first line of the agent, which can therefore not
 * report them. The codes are those of systemd.exec(5), "Process Exit Codes".
 */

import type { UnitState } from './unit-state.ts';

export interface ServiceFailure {
  /** As systemd calls it, such as "238/STATE_DIRECTORY". */
  readonly code: string;
  readonly meaning: string;
  readonly action: string;
}

export interface Problem {
  readonly cause: string;
  readonly remedy: string;
}

/** What was found on the host where systemd reports a number only. */
export interface HostFindings {
  /** About the program of the unit. */
  readonly node?: Problem | undefined;
  /** About the place of the state directory. */
  readonly state?: Problem | undefined;
}

/** Undefined if the service is active, or if the agent itself has ended and has logged why. */
export function explainServiceFailure(
  { activeState, lastExit }: Pick<UnitState, 'activeState' | 'lastExit'>,
  { node, state }: HostFindings,
): ServiceFailure | undefined {
  if (activeState === 'active') return undefined;
  if (lastExit.by === 'signal')
    return lastExit.status === SIGILL ? { code: 'signal ILL', ...WRONG_PROCESSOR } : undefined;
  switch (lastExit.status) {
    case 203:
      return {
        code: '203/EXEC',
        meaning: node?.cause ?? 'systemd cannot run Node: it is missing, or built for another processor',
        action: node?.remedy ?? NODE_REMEDY,
      };
    case 217:
      return {
        code: '217/USER',
        meaning: 'systemd cannot create the user of the service',
        action: 'create it: sudo systemd-sysusers firstlight.conf; then: sudo systemctl restart firstlight',
      };
    case 226:
      return {
        code: '226/NAMESPACE',
        meaning:
          'systemd cannot set up the sandbox of the service: a directory that the unit names cannot be mounted, or this container does not permit namespaces',
        action:
          'find the directory with journalctl -u firstlight -n 20; in a container permit nesting (Proxmox: features nesting=1), or loosen the unit with sudo systemctl edit firstlight',
      };
    case 238:
      return {
        code: '238/STATE_DIRECTORY',
        meaning: state?.cause ?? 'systemd cannot create the state directory below /var/lib',
        action:
          state?.remedy ??
          'find the reason with journalctl -u firstlight -n 20, and check that /var/lib is writable and has free space',
      };
    case 243:
      return {
        code: '243/CREDENTIALS',
        meaning: 'systemd cannot pass credentials to the service',
        action:
          'put the secret into a file and set provisioning.secret-file, then clear ImportCredential= below [Service] with sudo systemctl edit firstlight',
      };
    default:
      return undefined;
  }
}

const SIGILL = 4;
const NODE_REMEDY =
  'install Node 20.19 or later for this processor as /usr/bin/node (Debian 13, Raspberry Pi OS 13: sudo apt install nodejs)';
const WRONG_PROCESSOR = {
  meaning:
    'Node is built for another processor than this one (a build for armhf can need ARMv7, a Pi Zero has ARMv6)',
  action: NODE_REMEDY,
};
