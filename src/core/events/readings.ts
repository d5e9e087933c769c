/** The events of readings: sensors, what waits, the disk it waits on, what is lost, and the clock that dates it. */

import type { EventEntry } from './definition.ts';

export const READING_EVENTS = {
  'FL-SENSORS-UNAVAILABLE': {
    level: 'error',
    sentence: 'no sensor of this host can be read: check that /proc and /sys are visible to the agent',
  },
  'FL-SENSOR-FAILED': {
    level: 'warn',
    sentence: 'a sensor cannot be read; its values are left out: check the device that the field names',
  },
  'FL-SENSOR-RESTORED': { level: 'info', sentence: 'a sensor can be read again' },
  'FL-CUSTOM-SENSOR-FAILED': {
    level: 'warn',
    sentence:
      'a sensor of your own cannot be read, and is asked again ever more slowly; its values are left out: correct what the field says',
  },
  'FL-CUSTOM-SENSOR-RESTORED': { level: 'info', sentence: 'a sensor of your own can be read again' },
  'FL-CUSTOM-SENSOR-INVALID-VALUE': {
    level: 'warn',
    sentence:
      'a sensor of your own says something that is no value, and that part is left out: correct what the field says',
  },
  'FL-VALUE-TOO-LARGE': {
    level: 'error',
    sentence: 'a value is too large for one datagram and was left out: shorten or switch off its sensor',
  },
  'FL-SPOOLING-STARTED': {
    level: 'info',
    sentence: 'readings that the server has not taken yet are kept on the disk',
  },
  'FL-BACKLOG-DELIVERED': { level: 'info', sentence: 'everything that waited is delivered' },
  'FL-DISK-WRITE-FAILED': {
    level: 'error',
    sentence:
      'the disk does not take the readings that wait; they are kept in memory, where a restart would lose them: check space, rights and health of the state directory',
  },
  'FL-DISK-WRITE-RESTORED': { level: 'info', sentence: 'the disk takes readings again' },
  'FL-SHUTDOWN-WRITE-TIMEOUT': {
    level: 'error',
    sentence:
      'the disk did not take the readings that wait in time, and those it did not take are lost: check the health of the card',
  },
  'FL-SPOOL-READ-FAILED': {
    level: 'warn',
    sentence:
      'a file of the spool cannot be read; it is tried again, and its readings are lost if that fails for long: check the health of the disk',
  },
  'FL-SPOOL-DELETE-FAILED': {
    level: 'warn',
    sentence:
      'a file of the spool cannot be removed; its readings may be sent again after a restart: check rights and health of the state directory',
  },
  'FL-SPOOL-LIST-FAILED': {
    level: 'warn',
    sentence:
      'the spool cannot be listed, and what it holds waits for a restart: check rights and health of the state directory',
  },
  'FL-SPOOL-NEWER': {
    level: 'warn',
    sentence:
      'the spool holds readings stored by a newer firstlight, and they stay there: install that version again, or remove the file',
  },
  'FL-BOOT-OFFSET-READ-FAILED': {
    level: 'warn',
    sentence: 'what dates the stored readings of earlier boots cannot be read: check the health of the disk',
  },
  'FL-BOOT-OFFSET-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'what dates the stored readings of this boot cannot be stored: those not delivered before a restart would be lost; check space and health of the disk',
  },
  'FL-READINGS-LOST': {
    level: 'warn',
    sentence:
      'readings were lost; a gap record tells the server how many, from when to when, and why: check the cause in the field lostWhy',
  },
  'FL-GAP-RECORD-REJECTED': {
    level: 'error',
    sentence:
      'the server does not take the gap record, which is left out, and readings were lost: report this as a bug of firstlight',
  },
  'FL-READING-REJECTED': {
    level: 'error',
    sentence:
      'the server answers one reading, and only it, with an internal error; it was set aside so that the others go on: check the rule chain of the device profile',
  },
  'FL-READING-MALFORMED': {
    level: 'error',
    sentence:
      'the server calls one reading malformed; it was set aside so that the others go on: check that the device profile takes JSON payloads',
  },
  'FL-CLOCK-TRUSTED': {
    level: 'info',
    sentence: 'the clock of this host is believed as it is, because clock.trust is "system"',
  },
  'FL-CLOCK-RESUMED': {
    level: 'info',
    sentence:
      'readings have their own time: an earlier start in this boot of the host found its clock synchronised',
  },
  'FL-CLOCK-SYNCHRONISED': {
    level: 'info',
    sentence:
      'the clock is synchronised: readings have their own time from here on, and those that waited are dated',
  },
  'FL-CLOCK-UNSYNCHRONISED': {
    level: 'warn',
    sentence:
      'the clock is not synchronised; readings go out without a time while the server is reachable, and wait otherwise: check the time service of this host, or set clock.trust = "system" on a host without one',
  },
  'FL-CLOCK-STEPPED': {
    level: 'info',
    sentence: 'the clock was set: readings have the new time from here on',
  },
  'FL-CLOCK-STEP-UNCONFIRMED': {
    level: 'warn',
    sentence:
      'the clock was set, and no time service confirms it; readings keep to the time before: check the time service of this host, or set clock.trust = "system" on a host without one',
  },
  'FL-CLOCK-STEP-REVERTED': {
    level: 'info',
    sentence: 'the clock is back at the time that readings have kept to',
  },
  'FL-CLOCK-STATE-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'what is known of the clock cannot be kept for a restart, after which readings may wait for a date: check that the runtime directory can be written',
  },
  'FL-CLOCK-UNVERIFIABLE': {
    level: 'warn',
    sentence:
      'nothing on this host can tell whether its clock is synchronised: install a time service such as systemd-timesyncd or chrony, or set clock.trust = "system"',
  },
} as const satisfies Record<string, EventEntry>;
