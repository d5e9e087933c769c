/** The doctor's checks of what is on this host itself and known by several rooms: configuration, identity, clock, outbox, status. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Loaded } from '../../config/load.ts';
import { EVENTS, halvesOf, isEventId } from '../../core/events/catalogue.ts';
import { sameBoard } from '../../core/model/board-fingerprint.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/silent-logger.ts';
import { countAside } from '../../credentials/archive.ts';
import { lookAtRecord } from '../../credentials/inspect.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { type Check, cross, dash, tick } from '../../doctor/check.ts';
import { hostTimeSync } from '../../host/clock/time-sync.ts';
import { findMachineId } from '../../host/hardware/board.ts';
import { deviceName } from '../../host/hardware/device-name.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';
import type { StatusAnswer } from '../status/json.ts';

export function configurationCheck(loaded: Loaded | readonly string[]): Check {
  return {
    name: 'configuration',
    async look() {
      if (!('config' in loaded))
        return cross(
          loaded.join(' | '),
          `the agent cannot start with it${process.geteuid?.() === 0 ? '' : ', unless it is only this user who may not look: run it with sudo'}`,
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
      const chip = existsSync('/sys/class/rtc/rtc0')
        ? ''
        : '; no clock chip, so after a power cut it waits for the network to know the time';
      const now = new Date(clock.wallMs()).toISOString();
      if ('config' in loaded && loaded.config.clock.trust === 'system')
        return tick(`${now}, believed as it is${chip}`);
      const isSynchronised = await hostTimeSync({ root: '/', clock, log: SILENT_LOGGER }).isSynchronised(
        signal,
      );
      if (isSynchronised) return tick(`${now}, synchronised${chip}`);
      return cross(
        `${now}, not synchronised by any time service${chip}`,
        'readings wait for their dates, or go without',
        'check the time service: timedatectl; install systemd-timesyncd or chrony where there is none, or set clock.trust = "system" if you trust that clock as it is',
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
        const files = names.length === 1 ? '1 file' : `${names.length} files`;
        return tick(`${files} of waiting readings on the disk, 64 KiB each at most`);
      } catch (error) {
        const isRight = errorCode(error) === 'EACCES';
        return isRight
          ? dash('may not be looked at by this user: run it with sudo')
          : tick('nothing waits on the disk');
      }
    },
  };
}

/** The credentials against the board they are used on. */
export function boardCheck(state: string, root = '/'): Check {
  return {
    name: 'board',
    async look() {
      const found = await lookAtRecord(state).catch((error: unknown) => {
        if (error instanceof StoreError) return error;
        throw error;
      });
      if (found instanceof StoreError) return dash(found.message);
      const aside = await countAside(state);
      const others = aside === 0 ? '' : `; ${aside} of other boards or servers are kept aside in ${state}`;
      if (found.is === 'damaged' || found.is === 'newer')
        return dash(`the credentials cannot be read (see provisioning)${others}`);
      if (found.is !== 'good') return dash(`there are no credentials that say it${others}`);
      const now = boardFingerprint({ root });
      if (found.fingerprint.length === 0 || now.length === 0)
        return dash(`neither a serial nor a burnt-in address to compare${others}`);
      if (sameBoard(found.fingerprint, now)) return tick(`the one the credentials were made on${others}`);
      return cross(
        `the credentials of ${found.record.deviceName} were made on another board${others}`,
        'this card, or a copy of it, is in another board: at its start the agent keeps them aside and asks for new ones',
        'put the card back into its own board; before copying one, run sudo firstlight prepare-image',
      );
    },
  };
}

/** Several troubles look harmless one by one; how often each was told says more. */
export function toldCheck({ counts }: StatusAnswer): Check {
  return {
    name: 'told since start',
    async look() {
      const told = Object.entries(counts)
        .filter(([event]) => isEventId(event) && EVENTS[event].level !== 'info')
        .sort(([, one], [, other]) => other - one)
        .map(([event, count]) => `${event} ${count === 1 ? 'once' : `${count} times`}`);
      const rest = told.length > TOLD_MAX ? `, and ${told.length - TOLD_MAX} more` : '';
      return told.length === 0
        ? dash('no warning and no error, as far as the status tells')
        : tick(`${told.slice(0, TOLD_MAX).join(', ')}${rest}`);
    },
  };
}

const TOLD_MAX = 8;

export function successCheck({ running, lastAcceptedAgoS, retry, why }: StatusAnswer): Check {
  const ago =
    lastAcceptedAgoS === null
      ? 'nothing accepted yet'
      : `last accepted ${formatDuration(lastAcceptedAgoS * 1000)} ago`;
  return {
    name: 'last success',
    async look() {
      if (retry)
        return cross(
          `${retry.event}: ${retry.seen}, for ${formatDuration(retry.sinceS * 1000)}; ${ago}`,
          retry.cause,
          retry.remedy,
        );
      if (!running && why.length > 0) {
        const isStart = isEventId(halvesOf(why[0] ?? '').cause);
        const seen = `the agent does not run${isStart ? '; its last start failed' : ', as far as can be seen'}: ${why.join(' | ')}`;
        return cross(seen, isStart ? 'it could not go on' : 'its status cannot be read', remedyOf(why));
      }
      if (!running) return dash(`the agent does not run${lastAcceptedAgoS === null ? '' : `; ${ago}`}`);
      return lastAcceptedAgoS === null
        ? dash('nothing accepted yet')
        : tick(`${formatDuration(lastAcceptedAgoS * 1000)} ago`);
    },
  };
}

/** Each of `why` begins with the event that it is about. */
function remedyOf([first = '']: readonly string[]): string {
  const id = halvesOf(first).cause;
  return isEventId(id) && id !== 'FL-BUG'
    ? halvesOf(EVENTS[id].sentence).remedy
    : 'read its last lines: journalctl -u firstlight -n 20';
}
