/** The checks of this host that join several rooms: configuration, identity, clock, outbox, board, status. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedConfig } from '../../config/load.ts';
import { ATTRIBUTE_SOURCE } from '../../config/shared-attributes.ts';
import { EVENTS, isEventId, splitSentence } from '../../core/events/catalogue.ts';
import { isSameBoard } from '../../core/model/board-fingerprint.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/log.ts';
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
          `the agent cannot start with this configuration${process.geteuid?.() === 0 ? '' : ' (or this user lacks read permission: run with sudo)'}`,
          'correct it, then run: firstlight config check',
        );
      const warnings = [...loaded.warnings, ...loaded.remote.refused.map(({ problem }) => problem.sentence)];
      const remoteText = describeRemote(loaded);
      return pass(
        warnings.length === 0
          ? `valid${remoteText}`
          : `valid${remoteText}, with warnings: ${warnings.join(' | ')}`,
      );
    },
  };
}

/** Empty if the server has set nothing. */
function describeRemote({ sources }: LoadedConfig): string {
  const names = Object.values(sources).filter((source) => source.startsWith(ATTRIBUTE_SOURCE));
  return names.length === 0
    ? ''
    : `; set by the server: ${names.map((name) => name.slice(ATTRIBUTE_SOURCE.length)).join(', ')}`;
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
          'two gateways may get the same name, and the server accepts only one of them',
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
        : '; no hardware clock, so after a power cut the time is known only after synchronisation';
      const timeText = new Date(clock.wallMs()).toISOString();
      if ('config' in loaded && loaded.config.clock.trust === 'system')
        return pass(`${timeText}, trusted without synchronisation${rtcText}`);
      const isSynchronised = await hostTimeSync({ root: '/', clock, log: SILENT_LOGGER }).isSynchronised(
        signal,
      );
      if (isSynchronised) return pass(`${timeText}, synchronised${rtcText}`);
      return fail(
        `${timeText}, not synchronised by a time service${rtcText}`,
        'readings are held, or sent without a timestamp',
        'check the time service with timedatectl; install systemd-timesyncd or chrony if there is none, or set clock.trust = "system" if the clock is reliable without one',
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
        return pass(`${files} of queued readings on disk, at most 64 KiB each`);
      } catch (error) {
        const isPermissionError = errorCode(error) === 'EACCES';
        return isPermissionError
          ? skip('this user cannot read it: run with sudo')
          : pass('no queued readings on disk');
      }
    },
  };
}

/** Compares the board of the credentials with this board. */
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
        archivedCount === 0 ? '' : `; ${archivedCount} of other boards or servers are archived in ${state}`;
      if (inspection.is === 'damaged' || inspection.is === 'newer')
        return skip(`the credentials cannot be read (see provisioning)${archivedText}`);
      if (inspection.is !== 'good') return skip(`there are no credentials to compare with${archivedText}`);
      const fingerprint = boardFingerprint({ root });
      if (inspection.fingerprint.length === 0 || fingerprint.length === 0)
        return skip(
          `this board has neither a serial number nor a permanent MAC address to compare${archivedText}`,
        );
      if (isSameBoard(inspection.fingerprint, fingerprint))
        return pass(`the same board for which the credentials were issued${archivedText}`);
      return fail(
        `the credentials of ${inspection.record.deviceName} were issued for another board${archivedText}`,
        'this SD card or disk, or a copy of it, is in another board: at its start the agent archives the credentials and provisions again',
        'move it back to its own board; before copying it, run: sudo firstlight prepare-image',
      );
    },
  };
}

/** A warning that looks harmless once can be a problem if it is frequent. */
export function eventCountsCheck({ eventCounts }: StatusJson): Check {
  return {
    name: 'events since start',
    async run() {
      const eventLines = Object.entries(eventCounts)
        .filter(([event]) => isEventId(event) && EVENTS[event].level !== 'info')
        .sort(([, one], [, other]) => other - one)
        .map(([event, count]) => `${event} ${count === 1 ? 'once' : `${count} times`}`);
      const rest =
        eventLines.length > EVENTS_SHOWN_MAX ? `, and ${eventLines.length - EVENTS_SHOWN_MAX} more` : '';
      return eventLines.length === 0
        ? skip('no warnings and no errors in the status')
        : pass(`${eventLines.slice(0, EVENTS_SHOWN_MAX).join(', ')}${rest}`);
    },
  };
}

const EVENTS_SHOWN_MAX = 8;

export function successCheck({ running, lastAcceptedAgoS, retry, reasons }: StatusJson): Check {
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
      if (!running && reasons.length > 0) {
        const isStartupError = isEventId(splitSentence(reasons[0] ?? '').cause);
        const observed = `the agent is not running${isStartupError ? '; its last start failed' : ', according to the status'}: ${reasons.join(' | ')}`;
        return fail(
          observed,
          isStartupError ? 'the agent cannot start' : 'its status cannot be read',
          remedyOf(reasons),
        );
      }
      if (!running)
        return skip(`the agent is not running${lastAcceptedAgoS === null ? '' : `; ${lastAccepted}`}`);
      return lastAcceptedAgoS === null
        ? skip('nothing accepted yet')
        : pass(`${formatDuration(lastAcceptedAgoS * 1000)} ago`);
    },
  };
}

/** The remedy of the event id with which the first reason begins. */
function remedyOf([first = '']: readonly string[]): string {
  const id = splitSentence(first).cause;
  return isEventId(id) && id !== 'FL-INTERNAL-ERROR'
    ? splitSentence(EVENTS[id].sentence).remedy
    : 'read the log: journalctl -u firstlight -n 20';
}
