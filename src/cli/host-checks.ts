/** The doctor's checks of what is on this host itself and known by several rooms: configuration, identity, clock, outbox, status. */

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Loaded } from '../config/load.ts';
import type { Clock } from '../core/ports.ts';
import { precisely } from '../core/spans.ts';
import { type Check, cross, dash, tick } from '../doctor/check.ts';
import { findMachineId } from '../host/board.ts';
import { deviceName } from '../host/identity.ts';
import { hostTimeSync } from '../host/time-sync.ts';
import type { StatusAnswer } from './status-answer.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

export function configurationCheck(loaded: Loaded | readonly string[]): Check {
  return {
    name: 'configuration',
    async look() {
      if (!('config' in loaded))
        return cross(
          loaded.join(' | '),
          'the agent cannot start with it',
          'correct it; firstlight config check tells when it is good',
        );
      const { warnings } = loaded;
      return tick(warnings.length === 0 ? 'good' : `good, with a doubt: ${warnings.join(' | ')}`);
    },
  };
}

export function identityCheck(loaded: Loaded | readonly string[]): Check {
  return {
    name: 'identity',
    async look() {
      const template = 'config' in loaded ? loaded.config.device.name : undefined;
      const named = deviceName({ root: '/', ...(template !== undefined && { template }) });
      if (!named.ok)
        return cross(
          named.problem,
          'the gateway has no name for the server',
          'set a device.name that fits this host',
        );
      if (named.warning !== undefined)
        return cross(
          `${named.name}: ${named.warning.split(':')[0]}`,
          'two gateways may get the same name, and the server lets only one in',
          named.warning.slice(named.warning.indexOf(':') + 2),
        );
      return tick(`${named.name}${findMachineId('/') === undefined ? ', no machine-id' : ''}`);
    },
  };
}

export function clockCheck(loaded: Loaded | readonly string[], clock: Clock): Check {
  return {
    name: 'clock',
    async look(signal) {
      const now = new Date(clock.wallMs()).toISOString();
      if ('config' in loaded && loaded.config.clock.trust === 'system')
        return tick(`${now}, believed as it is`);
      const isSynchronised = await hostTimeSync({ root: '/', clock, log: SILENT }).isSynchronised(signal);
      if (isSynchronised) return tick(`${now}, synchronised`);
      return cross(
        `${now}, not synchronised by any time service`,
        'readings wait for their dates, or go without',
        'check the time service (timedatectl timesync-status), or set clock.trust = "system" on a host without one',
      );
    },
  };
}

export function outboxCheck(state: string): Check {
  return {
    name: 'outbox',
    async look() {
      try {
        const names = await readdir(join(state, 'spool'));
        return tick(`${names.length} files of waiting readings on the disk, 64 KiB each at most`);
      } catch (error) {
        const isRight = error instanceof Error && 'code' in error && error.code === 'EACCES';
        return isRight
          ? dash('may not be looked at by this user: run it with sudo')
          : tick('nothing waits on the disk');
      }
    },
  };
}

export function successCheck({ running, lastAcceptedAgoS, retry, why }: StatusAnswer): Check {
  return {
    name: 'last success',
    async look() {
      if (retry)
        return cross(
          `${retry.event}: ${retry.seen}, for ${precisely(retry.sinceS * 1000)}`,
          retry.cause,
          retry.remedy,
        );
      if (!running)
        return dash(why.length > 0 ? `the agent does not run: ${why.join(' | ')}` : 'the agent does not run');
      return lastAcceptedAgoS === null
        ? dash('nothing accepted yet')
        : tick(`${precisely(lastAcceptedAgoS * 1000)} ago`);
    },
  };
}
