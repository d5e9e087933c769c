/** Events of readings: sensors, outbox, spool, losses and the clock. */

import type { EventEntry } from './definition.ts';

export const READING_EVENTS = {
  'FL-SENSORS-UNAVAILABLE': {
    level: 'error',
    sentence: 'no sensor of this host can be read: check that /proc and /sys are visible to the agent',
  },
  'FL-SENSOR-FAILED': {
    level: 'warn',
    sentence: 'a sensor cannot be read, and its values are omitted: check the device in the field sensor',
  },
  'FL-SENSOR-RESTORED': { level: 'info', sentence: 'a sensor can be read again' },
  'FL-CUSTOM-SENSOR-FAILED': {
    level: 'warn',
    sentence:
      'a custom sensor cannot be read; the agent omits its values and retries with increasing intervals: correct the problem in the field reason',
  },
  'FL-CUSTOM-SENSOR-RESTORED': { level: 'info', sentence: 'a custom sensor can be read again' },
  'FL-CUSTOM-SENSOR-INVALID-VALUE': {
    level: 'warn',
    sentence:
      'a custom sensor returned an invalid value, which the agent ignores: correct the problem in the field reason',
  },
  'FL-VALUE-TOO-LARGE': {
    level: 'error',
    sentence: 'a value is too large for one datagram and was omitted: shorten it, or disable its sensor',
  },
  'FL-SPOOLING-STARTED': {
    level: 'info',
    sentence: 'undelivered readings are being stored on disk',
  },
  'FL-BACKLOG-DELIVERED': { level: 'info', sentence: 'the backlog has been delivered' },
  'FL-DISK-WRITE-FAILED': {
    level: 'error',
    sentence:
      'queued readings cannot be written to disk; they stay in memory, where a restart would lose them: check the free space, permissions and health of the state directory',
  },
  'FL-DISK-WRITE-RESTORED': { level: 'info', sentence: 'queued readings can be written to disk again' },
  'FL-SHUTDOWN-WRITE-TIMEOUT': {
    level: 'error',
    sentence:
      'the disk did not store all queued readings before the shutdown deadline, and the others are lost: check the health of the SD card or disk',
  },
  'FL-SPOOL-READ-FAILED': {
    level: 'warn',
    sentence:
      'a spool file cannot be read; the agent retries, and drops its readings if that keeps failing: check the health of the SD card or disk',
  },
  'FL-SPOOL-DELETE-FAILED': {
    level: 'warn',
    sentence:
      'a spool file cannot be deleted; its readings may be sent again after a restart: check the permissions and health of the state directory',
  },
  'FL-SPOOL-LIST-FAILED': {
    level: 'warn',
    sentence:
      'the spool directory cannot be listed; its readings stay there until the agent restarts: check the permissions and health of the state directory',
  },
  'FL-SPOOL-NEWER': {
    level: 'warn',
    sentence:
      'the spool contains readings of a newer Firstlight version, which stay there: install that version again, or delete the file',
  },
  'FL-BOOT-OFFSET-READ-FAILED': {
    level: 'warn',
    sentence:
      'the boot offsets, which date the stored readings of earlier boots, cannot be read: check the health of the SD card or disk',
  },
  'FL-BOOT-OFFSET-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'the boot offset, which dates the stored readings, cannot be written; readings not delivered before a restart would be lost: check the free space and health of the SD card or disk',
  },
  'FL-READINGS-LOST': {
    level: 'warn',
    sentence:
      'readings were lost; the agent reports their number, period and cause in a gap record: check the cause in the field lostWhy',
  },
  'FL-GAP-RECORD-REJECTED': {
    level: 'error',
    sentence:
      'readings were lost, and the server rejected the gap record that reports them, so it was omitted: report this as a Firstlight bug',
  },
  'FL-READING-REJECTED': {
    level: 'error',
    sentence:
      'the server responds to one reading with an internal error; the agent set it aside and sends the others: check the rule chain of the device profile',
  },
  'FL-READING-MALFORMED': {
    level: 'error',
    sentence:
      'the server rejected one reading as malformed; the agent set it aside and sends the others: check that the device profile accepts JSON payloads',
  },
  'FL-CLOCK-TRUSTED': {
    level: 'info',
    sentence: 'the agent trusts the clock of this host because clock.trust is "system"',
  },
  'FL-CLOCK-RESUMED': {
    level: 'info',
    sentence: 'readings have timestamps because an earlier start in this boot found the clock synchronised',
  },
  'FL-CLOCK-SYNCHRONISED': {
    level: 'info',
    sentence: 'the clock is synchronised; new and queued readings have timestamps',
  },
  'FL-CLOCK-UNSYNCHRONISED': {
    level: 'warn',
    sentence:
      'the clock is not synchronised; readings are sent without timestamps if the server is reachable, and are held otherwise: check the time service of this host, or set clock.trust = "system" on a host without one',
  },
  'FL-CLOCK-BEFORE-RELEASE': {
    level: 'warn',
    sentence:
      'the clock shows a date before the release of this version, so it is wrong, and the agent treats it as not synchronised: check the time service, its servers or receiver, and the hardware clock',
  },
  'FL-CLOCK-STEPPED': {
    level: 'info',
    sentence: 'the clock was set; new readings use the new time',
  },
  'FL-CLOCK-STEP-UNCONFIRMED': {
    level: 'warn',
    sentence:
      'the clock was set, but no time service confirms it; readings keep using the previous time: check the time service of this host, or set clock.trust = "system" on a host without one',
  },
  'FL-CLOCK-STEP-REVERTED': {
    level: 'info',
    sentence: 'the clock is back at the time that readings kept using',
  },
  'FL-CLOCK-STATE-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'the agent cannot save the clock state; after a restart, readings may be held until the clock is synchronised again: check that the runtime directory is writable',
  },
  'FL-CLOCK-UNVERIFIABLE': {
    level: 'warn',
    sentence:
      'no time service on this host reports whether the clock is synchronised: install one such as systemd-timesyncd or chrony, or set clock.trust = "system"',
  },
} as const satisfies Record<string, EventEntry>;
