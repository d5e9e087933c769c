/** The doctor's checks of what is on this host itself and known by several rooms: configuration, identity, clock, outbox, status. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { EVENTS, isEventId, splitSentence } from '../../core/events/catalogue.ts';
import { isSameBoard } from '../../core/model/board-fingerprint.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/silent-logger.ts';
import { countArchived } from '../../credentials/archive.ts';
import { inspectRecord } from '../../credentials/inspect.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { type Check, fail, pass, skip } from '../../doctor/check.ts';
import { hostTimeSync } from '../../host/clock/time-sync.ts';
import { findMachineId } from '../../host/hardware/board.ts';
import { deriveDeviceName } from '../../host/hardware/device-name.ts';
import { boardFingerprint } from '../../host/hardware/fingerprint.ts';
import type { StatusJson } from '../status/json.ts';

export function configurationCheck(loaded: LoadedConfig | readonly string[]): Check {
  return {
    name: 'configuration',
    async run() {
      if (!('config' in loaded))
        return fail(
          loaded.join(' | '),
          `the agent cannot start with it${process.geteuid?.() === 0 ? '' : ', unless it is only this user who may not look: run it with sudo'}`,
          'correct it; firstlight config check tells when it is good',
        );
      const { warnings } = loaded;
      return pass(warnings.length === 0 ? 'good' : `good, with a doubt: ${warnings.join(' | ')}`);
    },
  };
}

export function identityCheck(loaded: LoadedConfig | readonly string[]): Check {
  return {
    name: 'identity',
    async run() {
      const template = 'config' in loaded ? loaded.config.device.name : undefined;
      const result = deriveDeviceName({ root: '/', ...(template !== undefined && { template }) });
      if (!result.ok)
        return fail(
          result.problem,
          'the gateway has no name for the server',
          'set a device.name that fits this host',
        );
      if (result.warning !== undefined)
        return fail(
          `${result.name}: ${result.warning.split(':')[0]}`,
          'two gateways may get the same name, and the server lets only one in',
          result.warning.slice(result.warning.indexOf(':') + 2),
        );
      return pass(`${result.name}${findMachineId('/') === undefined ? ', no machine-id' : ''}`);
    },
  };
}

export function clockCheck(loaded: LoadedConfig | readonly string[], clock: Clock): Check {
  return {
    name: 'clock',
    async run(signal) {
      const rtcText = existsSync('/sys/class/rtc/rtc0')
        ? ''
        : '; no clock chip, so after a power cut it waits for the network to know the time';
      const timeText = new Date(clock.wallMs()).toISOString();
      if ('config' in loaded && loaded.config.clock.trust === 'system')
        return pass(`${timeText}, believed as it is${rtcText}`);
      const isSynchronised = await hostTimeSync({ root: '/', clock, log: SILENT_LOGGER }).isSynchronised(
        signal,
      );
      if (isSynchronised) return pass(`${timeText}, synchronised${rtcText}`);
      return fail(
        `${timeText}, not synchronised by any time service${rtcText}`,
        'readings wait for their dates, or go without',
        'check the time service: timedatectl; install systemd-timesyncd or chrony where there is none, or set clock.trust = "system" if you trust that clock as it is',
      );
    },
  };
}

export function outboxCheck(state: string): Check {
  return {
    name: 'outbox',
    async run() {
      try {
        const names = await readdir(join(state, 'spool'));
        const files = names.length === 1 ? '1 file' : `${names.length} files`;
        return pass(`${files} of waiting readings on the disk, 64 KiB each at most`);
      } catch (error) {
        const isPermissionError = errorCode(error) === 'EACCES';
        return isPermissionError
          ? skip('may not be looked at by this user: run it with sudo')
          : pass('nothing waits on the disk');
      }
    },
  };
}

/** The credentials against the board they are used on. */
export function boardCheck(state: string, root = '/'): Check {
  return {
    name: 'board',
    async run() {
      const inspection = await inspectRecord(state).catch((error: unknown) => {
        if (error instanceof StoreError) return error;
        throw error;
      });
      if (inspection instanceof StoreError) return skip(inspection.message);
      const archivedCount = await countArchived(state);
      const archivedText =
        archivedCount === 0 ? '' : `; ${archivedCount} of other boards or servers are kept aside in ${state}`;
      if (inspection.is === 'damaged' || inspection.is === 'newer')
        return skip(`the credentials cannot be read (see provisioning)${archivedText}`);
      if (inspection.is !== 'good') return skip(`there are no credentials that say it${archivedText}`);
      const timeText = boardFingerprint({ root });
      if (inspection.fingerprint.length === 0 || timeText.length === 0)
        return skip(`neither a serial nor a burnt-in address to compare${archivedText}`);
      if (isSameBoard(inspection.fingerprint, timeText))
        return pass(`the one the credentials were made on${archivedText}`);
      return fail(
        `the credentials of ${inspection.record.deviceName} were made on another board${archivedText}`,
        'this card, or a copy of it, is in another board: at its start the agent keeps them aside and asks for new ones',
        'put the card back into its own board; before copying one, run sudo firstlight prepare-image',
      );
    },
  };
}

/** Several troubles look harmless one by one; how often each was told says more. */
export function eventCountsCheck({ eventCounts: counts }: StatusJson): Check {
  return {
    name: 'told since start',
    async run() {
      const eventLines = Object.entries(counts)
        .filter(([event]) => isEventId(event) && EVENTS[event].level !== 'info')
        .sort(([, one], [, other]) => other - one)
        .map(([event, count]) => `${event} ${count === 1 ? 'once' : `${count} times`}`);
      const rest =
        eventLines.length > EVENTS_SHOWN_MAX ? `, and ${eventLines.length - EVENTS_SHOWN_MAX} more` : '';
      return eventLines.length === 0
        ? skip('no warning and no error, as far as the status tells')
        : pass(`${eventLines.slice(0, EVENTS_SHOWN_MAX).join(', ')}${rest}`);
    },
  };
}

const EVENTS_SHOWN_MAX = 8;

export function successCheck({ running, lastAcceptedAgoS, retry, reasons: why }: StatusJson): Check {
  const lastAccepted =
    lastAcceptedAgoS === null
      ? 'nothing accepted yet'
      : `last accepted ${formatDuration(lastAcceptedAgoS * 1000)} ago`;
  return {
    name: 'last success',
    async run() {
      if (retry)
        return fail(
          `${retry.event}: ${retry.detail}, for ${formatDuration(retry.failingForS * 1000)}; ${lastAccepted}`,
          retry.cause,
          retry.remedy,
        );
      if (!running && why.length > 0) {
        const isStartupError = isEventId(splitSentence(why[0] ?? '').cause);
        const observed = `the agent does not run${isStartupError ? '; its last start failed' : ', as far as can be seen'}: ${why.join(' | ')}`;
        return fail(
          observed,
          isStartupError ? 'it could not go on' : 'its status cannot be read',
          remedyOf(why),
        );
      }
      if (!running)
        return skip(`the agent does not run${lastAcceptedAgoS === null ? '' : `; ${lastAccepted}`}`);
      return lastAcceptedAgoS === null
        ? skip('nothing accepted yet')
        : pass(`${formatDuration(lastAcceptedAgoS * 1000)} ago`);
    },
  };
}

/** Each of `why` begins with the event that it is about. */
function remedyOf([first = '']: readonly string[]): string {
  const id = splitSentence(first).cause;
  return isEventId(id) && id !== 'FL-INTERNAL-ERROR'
    ? splitSentence(EVENTS[id].sentence).remedy
    : 'read its last lines: journalctl -u firstlight -n 20';
}
