/**
 * The table of settings. The keys of the file, the variables, the example file and the reference derive from it, so a new
 * setting is added here only.
 *
 * Every value is text. Its `schema` converts it, or fails with a message that continues the sentence `<key> = <value> …`.
 */

import * as v from 'valibot';
import { configuredObstacle } from '../../core/model/access-token.ts';
import { REPORTS } from '../../core/model/config.ts';
import { Secret } from '../../core/model/secret.ts';
import { KEY_CHARACTERS_MAX, PAIRS_MAX } from '../values/key-values.ts';
import { parseDeadbands } from '../values/sensor-lists.ts';
import { remoteTable } from './remote-table.ts';
import { sensorSettings } from './sensor-settings.ts';
import { serverSettings } from './server-settings.ts';
import type { Setting } from './setting.ts';
import { updateSettings } from './update-settings.ts';
import {
  absolutePath,
  boundedText,
  choice,
  duration,
  parseWith,
  share,
  size,
  text,
  wholeNumber,
} from './value-types.ts';

const HOUR_MS = 3_600_000;
const SECOND_MS = 1000;

export const settings = {
  ...serverSettings,
  provisioningKey: {
    key: 'provisioning.key',
    type: 'text',
    bound: '1 to 255 characters',
    example: 'the-key-of-the-device-profile',
    meaning:
      'Provision device key of the device profile. Required, with a secret, until the gateway has credentials.',
    schema: v.pipe(text('text'), boundedText()),
  },
  provisioningSecret: {
    key: 'provisioning.secret',
    type: 'secret',
    bound: '1 to 255 characters',
    example: 'the-secret-of-the-device-profile',
    meaning:
      'Provision device secret of the device profile. Prefer secret-file or the systemd credential firstlight.secret, which takes precedence over all other sources.',
    schema: v.pipe(
      text('text'),
      boundedText(),
      v.transform((secret) => new Secret(secret)),
    ),
  },
  provisioningSecretFile: {
    key: 'provisioning.secret-file',
    meaning:
      'File that contains only the secret. A newline at the end is ignored. Do not set secret as well.',
    ...absolutePath('/etc/firstlight/secret'),
  },
  provisioningCredentials: {
    key: 'provisioning.credentials',
    default: 'device-generated',
    meaning:
      'Who generates the access token. With device-generated, a gateway can connect even if the response of the server was lost.',
    ...choice(['device-generated', 'server-generated']),
  },
  provisioningAfterSuccess: {
    key: 'provisioning.after-success',
    default: 'keep',
    meaning:
      'With forget, the agent deletes the file named by secret-file after it has stored the credentials, and never provisions again automatically. It needs write permission for the directory of that file.',
    ...choice(['keep', 'forget']),
  },
  deviceName: {
    key: 'device.name',
    type: 'text',
    bound: '1 to 255 characters, no < or >',
    example: 'gateway-{serial}',
    meaning:
      'Name of the device in ThingsBoard. Without this setting, the agent derives the name from the hardware. May contain {serial}, {machineId}, {mac} and {hostname}.',
    schema: v.pipe(
      text('text'),
      v.trim(),
      boundedText(),
      v.check((name) => !/[<>]/.test(name), 'contains < or >'),
    ),
  },
  deviceToken: {
    key: 'device.token',
    type: 'secret',
    bound:
      '1 to 255 printable ASCII characters, no space, / or ?; no ; % or \\ with an http or https URL in server.url',
    example: 'the-access-token-of-the-device',
    meaning:
      'Access token of a device that already exists in ThingsBoard. With a token, the agent does not provision. Prefer token-file or the systemd credential firstlight.token, which takes precedence over all other sources.',
    schema: v.pipe(
      text('text'),
      boundedText(),
      parseWith((token) => configuredObstacle(token) ?? new Secret(token)),
    ),
  },
  deviceTokenFile: {
    key: 'device.token-file',
    meaning: 'File that contains only the token. A newline at the end is ignored. Do not set token as well.',
    ...absolutePath('/etc/firstlight/token'),
  },
  telemetryInterval: {
    key: 'telemetry.interval',
    isRemote: true,
    default: '10s',
    meaning: 'Time between two readings of the sensors.',
    ...duration(SECOND_MS, 24 * HOUR_MS, '10s'),
  },
  telemetrySendEvery: {
    key: 'telemetry.send-every',
    isRemote: true,
    default: '0s',
    meaning:
      'How long the agent gathers new readings before it sends them together, each with its own time. 0s: it sends each one at once. At most three quarters of outbox.spool-after count, so that no reading is written to the disk meanwhile.',
    ...duration(0, 120 * SECOND_MS, '30s'),
  },
  telemetryReport: {
    key: 'telemetry.report',
    isRemote: true,
    default: 'changes',
    meaning:
      'What a message contains. changes: only the values that changed, and all of them every five minutes; all: every value, for rule chains that look at each message by itself. With all, telemetry.deadband has no effect.',
    ...choice(REPORTS),
  },
  telemetryDrainRate: {
    key: 'telemetry.drain-rate',
    isRemote: true,
    default: '10',
    meaning:
      'Maximum rate for sending queued readings, in messages per second. New readings are sent in addition.',
    ...wholeNumber(1, 1000, '10'),
  },
  telemetryDeadband: {
    key: 'telemetry.deadband',
    isRemote: true,
    type: 'list',
    // What changes with every reading by its nature, and the readings of every five minutes have.
    default: 'uptimeS=300, drive*WrittenBytes=1000000',
    bound: `at most ${PAIRS_MAX} of key=number, separated by commas; a key has 1 to ${KEY_CHARACTERS_MAX} letters, digits, _ . - and * (wildcard); a number is above 0`,
    example: 'cpuTemperatureC=0.5, load1=0.1',
    meaning:
      'Minimum change, per key, for a value to be reported again between two complete messages. Your list replaces the default one.',
    schema: v.pipe(text('a list of key=number'), parseWith(parseDeadbands)),
  },
  ...sensorSettings,
  ...updateSettings,
  outboxSpoolAfter: {
    key: 'outbox.spool-after',
    isRemote: true,
    default: '60s',
    meaning: 'Maximum time that a queued reading stays in memory only. Then the agent writes it to the disk.',
    ...duration(5 * SECOND_MS, HOUR_MS, '60s'),
  },
  outboxFlushEvery: {
    key: 'outbox.flush-every',
    isRemote: true,
    default: '60s',
    meaning:
      'How often the agent writes new readings to the disk while the server is unreachable. A power cut loses at most the readings of this period.',
    ...duration(5 * SECOND_MS, HOUR_MS, '60s'),
  },
  outboxSpoolSize: {
    key: 'outbox.spool-size',
    isRemote: true,
    default: '64MB',
    meaning: 'Maximum disk space for queued readings. If it is full, the agent deletes the oldest readings.',
    ...size('1MB', '16GB', '64MB'),
  },
  outboxFreeSpace: {
    key: 'outbox.free-space',
    isRemote: true,
    default: '10%',
    meaning: 'Share of the file system that the agent always leaves free.',
    ...share('0%', '90%', '10%'),
  },
  clockTrust: {
    key: 'clock.trust',
    default: 'synchronised',
    meaning:
      'With synchronised, readings get timestamps as soon as a time service has set the clock of this host. With system, the agent trusts the clock as it is, unless it shows a date before the release of this version: use it on a host without a time service.',
    ...choice(['synchronised', 'system']),
  },
  ...remoteTable,
  logLevel: {
    key: 'log.level',
    isRemote: true,
    default: 'info',
    meaning: 'Lowest level that is logged.',
    ...choice(['debug', 'info', 'warn', 'error']),
  },
  logFormat: {
    key: 'log.format',
    isRemote: true,
    default: 'text',
    meaning: 'text: one line per event for people; json: one JSON object per line for programs.',
    ...choice(['text', 'json']),
  },
} as const satisfies Record<string, Setting>;

export const allSettings: readonly Setting[] = Object.values(settings);

/** The settings that the server may set. */
export const remoteSettings: readonly Setting[] = allSettings.filter(({ isRemote }) => isRemote);
