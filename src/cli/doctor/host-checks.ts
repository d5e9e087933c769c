/** The checks of this host that join several rooms: configuration, identity, clock, outbox, board, status. */

import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { RELEASE_DATE, RELEASED_MS, VERSION } from '../../app/version.ts';
import type { LoadedConfig } from '../../config/load.ts';
import { ATTRIBUTE_SOURCE } from '../../config/shared-attributes.ts';
import { EVENTS, isEventId, splitSentence } from '../../core/events/catalogue.ts';
import { compareBoards, isIdentified } from '../../core/model/board-fingerprint.ts';
import { errorCode } from '../../core/model/error-code.ts';
import { formatDuration } from '../../core/model/format-duration.ts';
import type { Clock } from '../../core/ports/clock.ts';
import { SILENT_LOGGER } from '../../core/ports/log.ts';
import { countArchived } from '../../credentials/archive.ts';
import { inspectRecord } from '../../credentials/inspect.ts';
import { StoreError } from '../../credentials/store-error.ts';
import { type Check, fail, pass, skip } from '../../doctor/check.ts';
import type { CredentialState } from '../../doctor/credential-state.ts';
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

/** The name in use: that of the credentials, or else the one with which the agent would provision. */
export function identityCheck(loaded: LoadedConfig | readonly string[], credentials: CredentialState): Check {
  return {
    name: 'identity',
    async run() {
      if (credentials.status === 'usable') return pass(`${credentials.device}, the name of the credentials`);
      const template = 'config' in loaded ? loaded.config.device.name : undefined;
      const result = deriveDeviceName({ root: '/', ...(template !== undefined && { template }) });
      if (!result.ok)
        return fail(
          result.problem,
          'the gateway has no name for the server',
          'set a device.name that fits this host',
        );
      if (credentials.status === 'configured')
        return pass(`${result.name}, for this host only: the server knows the device by its credentials`);
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

export function clockCheck(
  loaded: LoadedConfig | readonly string[],
  clock: Pick<Clock, 'wallMs' | 'sleep'>,
): Check {
  return {
    name: 'clock',
    async run(signal) {
      const rtcText = existsSync('/sys/class/rtc/rtc0')
        ? ''
        : '; no hardware clock, so after a power cut the time is known only after synchronisation';
      const timeText = new Date(clock.wallMs()).toISOString();
      if (clock.wallMs() < RELEASED_MS) {
        const { cause, remedy } = splitSentence(EVENTS['FL-CLOCK-BEFORE-RELEASE'].sentence);
        return fail(`${timeText}, but firstlight ${VERSION} was released on ${RELEASE_DATE}`, cause, remedy);
      }
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
      if (!isIdentified(inspection.fingerprint) || !isIdentified(fingerprint))
        return skip(
          `this board has neither a serial number nor a permanent MAC address of its own to compare${archivedText}`,
        );
      const { deviceName } = inspection.record;
      switch (compareBoards(inspection.fingerprint, fingerprint)) {
        case 'same':
          return pass(`the same board for which the credentials were issued${archivedText}`);
        case 'uncertain':
          return fail(
            `the credentials of ${deviceName} match this board only by an identifier that several boards can share${archivedText}`,
            'if this SD card or disk is a copy, two gateways send as one device; the agent uses the credentials',
            'if it is a copy, set another device.name here and run: sudo firstlight credentials forget',
          );
        case 'different':
          return fail(
            `the credentials of ${deviceName} were issued for another board${archivedText}`,
            'this SD card or disk, or a copy of it, is in another board: at its start the agent archives the credentials and provisions again',
            'move it back to its own board; before copying it, run: sudo firstlight prepare-image',
          );
      }
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

/** `failure`: why systemd cannot start the service; the status is then of an earlier start. */
export function successCheck(
  { running, lastAcceptedAgoS, retry, reasons }: StatusJson,
  failure: (signal: AbortSignal) => Promise<unknown> = async () => undefined,
): Check {
  const lastAccepted =
    lastAcceptedAgoS === null
      ? 'nothing accepted yet'
      : `last accepted ${formatDuration(lastAcceptedAgoS * 1000)} ago`;
  return {
    name: 'last success',
    async run(signal) {
      if (!running && (await failure(signal)) !== undefined)
        return skip(`the agent is not running (see service); ${lastAccepted}`);
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
