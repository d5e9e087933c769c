/**
 * The alarm rules. A new rule is one row. Each holds for a time or a number of values before it fires, and each clears by
 * itself; the details say what to do. ThingsBoard keeps the last value of an argument, so a reading that brings only
 * changes does not interrupt a time.
 *
 * `{name}` in details is the value of an argument. ThingsBoard inserts it as a regular-expression replacement, so only
 * numbers and fixed words are inserted.
 */

import {
  above,
  atLeast,
  below,
  type Condition,
  equal,
  type Filter,
  flag,
  type Hold,
  hours,
  minutes,
  notText,
  type Severity,
  silent,
  text,
} from './conditions.ts';

/** A value that a rule looks at. */
export interface Argument {
  /** A telemetry key, or a server attribute of ThingsBoard itself. */
  readonly key: string;
  readonly from: 'telemetry' | 'server attribute';
  /** For a gateway that does not report the key. Without it, the rule waits until the key is reported. */
  readonly default?: string;
}

export interface Level {
  readonly severity: Severity;
  readonly when: Condition;
  readonly details: string;
}

export interface AlarmRule {
  readonly name: string;
  /** By the name in filters and details. */
  readonly arguments: Readonly<Record<string, Argument>>;
  /** The most severe first. */
  readonly levels: readonly Level[];
  readonly clear: Condition;
  /** A few words for a table of gateways, about the latest values; without it, only the alarm tells. */
  readonly words?: string;
}

const DAY_S = 86_400;
/** The arguments of the rule about eMMCs. */
const LIVES = ['life0', 'life1', 'life2'];
const SPARES = ['spare0', 'spare1', 'spare2'];

export const ALARM_RULES: readonly AlarmRule[] = [
  {
    name: 'Offline',
    arguments: { active: { key: 'active', from: 'server attribute' } },
    // ThingsBoard sets it to false 10 minutes after the last message, and at once for a new device.
    levels: [
      level(
        'MAJOR',
        'all',
        [flag('active', false)],
        minutes(5),
        'No message for 15 minutes. Check power and network of the gateway, then "sudo firstlight doctor" on it. Readings are kept and arrive later.',
      ),
    ],
    clear: when('all', [flag('active', true)], { for: 'at once' }),
  },
  {
    name: 'Clock not synchronised',
    words: 'clock not synchronised',
    arguments: { synchronised: telemetry('clockSynchronised') },
    levels: [
      level(
        'WARNING',
        'all',
        [flag('synchronised', false)],
        minutes(30),
        'No time service has set the clock for 30 minutes. Check "timedatectl" and that the gateway reaches its NTP server.',
      ),
    ],
    clear: when('all', [flag('synchronised', true)], minutes(1)),
  },
  {
    name: 'Root file system nearly full',
    words: 'disk {used} % full',
    arguments: { used: telemetry('diskRootUsedPercent') },
    levels: [
      level(
        'CRITICAL',
        'all',
        [above('used', 97)],
        minutes(10),
        'The root file system is {used} % full and programs are about to fail. Delete logs and old packages: "sudo journalctl --vacuum-size=50M", "sudo apt clean".',
      ),
      level(
        'WARNING',
        'all',
        [above('used', 90)],
        minutes(10),
        'The root file system is {used} % full. Find what grows with "sudo du -xh / | sort -h | tail".',
      ),
    ],
    clear: when('all', [below('used', 85)], minutes(10)),
  },
  {
    name: 'Root file system read-only',
    words: 'disk read-only',
    arguments: { readOnly: telemetry('diskRootReadOnly') },
    levels: [
      level(
        'MAJOR',
        'all',
        [flag('readOnly', true)],
        minutes(5),
        'The root file system is read-only: after an error of the SD card or disk, or by configuration. See "journalctl -k" for I/O errors, and replace the card. If it is so on purpose, delete this rule.',
      ),
    ],
    clear: when('all', [flag('readOnly', false)], minutes(5)),
  },
  {
    name: 'Memory nearly full',
    words: 'memory {used} % full',
    arguments: { used: telemetry('memoryUsedPercent') },
    levels: [
      level(
        'CRITICAL',
        'all',
        [above('used', 97)],
        minutes(5),
        'Memory is {used} % full; the kernel will kill programs. Restart the largest: "ps -eo rss,comm --sort=-rss | head".',
      ),
      level(
        'WARNING',
        'all',
        [above('used', 90)],
        minutes(10),
        'Memory is {used} % full. Find the largest programs with "ps -eo rss,comm --sort=-rss | head".',
      ),
    ],
    clear: when('all', [below('used', 85)], minutes(5)),
  },
  {
    name: 'Under-voltage',
    words: 'under-voltage',
    arguments: { low: telemetry('piUnderVoltage') },
    // The voltage sags for seconds at a time: one value suffices, and ten quiet minutes clear.
    levels: [
      level(
        'MAJOR',
        'all',
        [flag('low', true)],
        { for: 'values', count: 1 },
        'The supply voltage of the Raspberry Pi fell below 4.63 V, which slows it down and damages SD cards. Use a stronger power supply or a shorter cable.',
      ),
    ],
    clear: when('all', [flag('low', false)], minutes(10)),
  },
  {
    name: 'CPU temperature high',
    words: 'CPU {temperature} °C',
    arguments: { temperature: telemetry('cpuTemperatureC') },
    levels: [
      level(
        'CRITICAL',
        'all',
        [above('temperature', 85)],
        minutes(5),
        'The CPU is at {temperature} °C and slows down. Improve the cooling: check fan, dust and ambient temperature.',
      ),
      level(
        'WARNING',
        'all',
        [above('temperature', 75)],
        minutes(10),
        'The CPU is at {temperature} °C. Check fan, dust and ambient temperature before summer does.',
      ),
    ],
    clear: when('all', [below('temperature', 70)], minutes(5)),
  },
  {
    name: 'Failed units',
    words: '{failed} failed units',
    arguments: { failed: telemetry('failedUnitCount') },
    levels: [
      level(
        'WARNING',
        'all',
        [above('failed', 0)],
        minutes(15),
        '{failed} systemd units have failed. List them with "systemctl --failed", then see "journalctl -u UNIT".',
      ),
    ],
    clear: when('all', [equal('failed', 0)], minutes(5)),
  },
  {
    name: 'Out-of-memory kills',
    words: '{kills} out-of-memory kills',
    arguments: { kills: telemetry('oomKillCount') },
    levels: [
      level(
        'WARNING',
        'all',
        [above('kills', 0)],
        minutes(1),
        'The kernel killed {kills} processes since the start of the gateway because memory ran out. See "journalctl -k -g oom". Clears with the next start.',
      ),
    ],
    clear: when('all', [equal('kills', 0)], minutes(1)),
  },
  {
    name: 'Readings lost',
    arguments: { lost: telemetry('lostReadings') },
    // A gap record is an event: one value suffices, and a day without another one clears.
    levels: [
      level(
        'WARNING',
        'all',
        [above('lost', 0)],
        { for: 'values', count: 1 },
        '{lost} readings are lost for good; "lostWhy" in the latest telemetry has the reason. Check disk space and outbox.spool-size, and how long the server was away. Clears after a day.',
      ),
    ],
    clear: when('all', [silent('lost', DAY_S)], { for: 'at once' }),
  },
  {
    name: 'Flash worn',
    words: 'flash worn',
    arguments: {
      life0: telemetry('driveMmcblk0LifeUsedPercent', '0'),
      life1: telemetry('driveMmcblk1LifeUsedPercent', '0'),
      life2: telemetry('driveMmcblk2LifeUsedPercent', '0'),
      spare0: telemetry('driveMmcblk0SpareState', 'normal'),
      spare1: telemetry('driveMmcblk1SpareState', 'normal'),
      spare2: telemetry('driveMmcblk2SpareState', 'normal'),
    },
    levels: [
      level(
        'MAJOR',
        'any',
        [...LIVES.map((each) => atLeast(each, 100)), ...SPARES.map((each) => text(each, 'urgent'))],
        hours(1),
        'The eMMC has reached its rated life (used: mmcblk0 {life0} %, mmcblk1 {life1} %, mmcblk2 {life2} %). Replace the board or the module soon.',
      ),
      level(
        'WARNING',
        'any',
        [...LIVES.map((each) => atLeast(each, 80)), ...SPARES.map((each) => text(each, 'warning'))],
        hours(1),
        'The eMMC has used most of its rated life (mmcblk0 {life0} %, mmcblk1 {life1} %, mmcblk2 {life2} %). Plan its replacement, and find what writes with "iotop -a".',
      ),
    ],
    clear: when(
      'all',
      [...LIVES.map((each) => below(each, 80)), ...SPARES.map((each) => text(each, 'normal'))],
      hours(1),
    ),
  },
  {
    name: 'Update failed',
    words: 'update failed',
    arguments: { state: telemetry('sw_state') },
    levels: [
      level(
        'MAJOR',
        'all',
        [text('state', 'FAILED')],
        minutes(1),
        'The software update failed and the gateway runs its previous version; "sw_error" in the latest telemetry has the reason. See "firstlight update status", then assign the package again or another one.',
      ),
    ],
    clear: when('all', [notText('state', 'FAILED')], minutes(1)),
  },
];

function level(
  severity: Severity,
  match: Condition['match'],
  filters: readonly Filter[],
  hold: Hold,
  details: string,
): Level {
  return { severity, when: when(match, filters, hold), details };
}

function when(match: Condition['match'], filters: readonly Filter[], hold: Hold): Condition {
  return { match, filters, hold };
}

function telemetry(key: string, fallback?: string): Argument {
  return { key, from: 'telemetry', ...(fallback !== undefined && { default: fallback }) };
}
