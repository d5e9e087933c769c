/**
 * The one table of settings. The file's keys, the variables' names, the example file and the README's table all
 * derive from it, so that a setting is added here and nowhere else.
 *
 * Every value is text, in the file as in the environment; `schema` turns it into what the rest of the program
 * wants, or says what is wrong in words that continue the sentence `<key> = <value> …`.
 */

import * as v from 'valibot';
import { Secret } from '../../core/model/secret.ts';
import { DEADBANDS_MAX, KEY_CHARACTERS_MAX, parseDeadbands } from '../values/deadbands.ts';
import { sensorSettings } from './sensor-settings.ts';
import { serverSettings } from './server-settings.ts';
import type { Setting } from './setting.ts';
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
      "The device profile's provision device key. Needed until the gateway has credentials, with a secret.",
    schema: v.pipe(text('text'), boundedText()),
  },
  provisioningSecret: {
    key: 'provisioning.secret',
    type: 'secret',
    bound: '1 to 255 characters',
    example: 'the-secret-of-the-device-profile',
    meaning:
      "The device profile's provision device secret. Better kept in a file of its own, or as the systemd credential firstlight.secret, which beats all else.",
    schema: v.pipe(
      text('text'),
      boundedText(),
      v.transform((secret) => new Secret(secret)),
    ),
  },
  provisioningSecretFile: {
    key: 'provisioning.secret-file',
    meaning:
      'A file that holds the secret and nothing else; a newline at its end does not count. Not together with secret.',
    ...absolutePath('/etc/firstlight/secret'),
  },
  provisioningCredentials: {
    key: 'provisioning.credentials',
    default: 'device-generated',
    meaning:
      'Who makes the access token. With device-generated, a gateway whose answer got lost on the way can still get in.',
    ...choice(['device-generated', 'server-generated']),
  },
  provisioningAfterSuccess: {
    key: 'provisioning.after-success',
    default: 'keep',
    meaning:
      'With forget, once credentials are stored the agent deletes the file named by secret-file, whose directory it must be able to write, and never provisions again by itself.',
    ...choice(['keep', 'forget']),
  },
  deviceName: {
    key: 'device.name',
    type: 'text',
    bound: '1 to 255 characters, no < or >',
    example: 'gateway-{serial}',
    meaning:
      'The name on the server; unless given, made from the board. May hold {serial} {machineId} {mac} {hostname}.',
    schema: v.pipe(
      text('text'),
      v.trim(),
      boundedText(),
      v.check((name) => !/[<>]/.test(name), 'has a < or a > in it'),
    ),
  },
  deviceToken: {
    key: 'device.token',
    type: 'secret',
    bound: '1 to 255 printable ASCII characters, no space, / or ?',
    example: 'the-access-token-of-the-device',
    meaning:
      'The access token of a device that is on the server already: with it there is no provisioning. Better kept in a file of its own, or as the systemd credential firstlight.token, which beats all else.',
    schema: v.pipe(
      text('text'),
      boundedText(),
      // The token is a segment of the CoAP path.
      v.check((token) => /^[!-~]*$/.test(token), 'has a space or a character beyond ASCII in it'),
      v.check((token) => !/[/?]/.test(token), 'has a / or a ? in it'),
      v.transform((token) => new Secret(token)),
    ),
  },
  deviceTokenFile: {
    key: 'device.token-file',
    meaning:
      'A file that holds the token and nothing else; a newline at its end does not count. Not together with token.',
    ...absolutePath('/etc/firstlight/token'),
  },
  telemetryInterval: {
    key: 'telemetry.interval',
    default: '10s',
    meaning: 'The time from one reading of the sensors to the next.',
    ...duration(SECOND_MS, 24 * HOUR_MS, '10s'),
  },
  telemetryDrainRate: {
    key: 'telemetry.drain-rate',
    default: '10',
    meaning: 'How many messages per second deliver what has waited, beside what is sampled now.',
    ...wholeNumber(1, 1000, '10'),
  },
  telemetryDeadband: {
    key: 'telemetry.deadband',
    type: 'list',
    default: '',
    bound: `at most ${DEADBANDS_MAX} of key=number, separated by commas; a key is 1 to ${KEY_CHARACTERS_MAX} letters, digits, _ . - and * (any characters), its number above 0`,
    example: 'cpuTemperatureC=0.5, load1=0.1',
    meaning:
      'A value that has moved by less than this since it was last reported is not reported anew, key by key.',
    schema: v.pipe(text('a list of key=number'), parseWith(parseDeadbands)),
  },
  ...sensorSettings,
  outboxSpoolAfter: {
    key: 'outbox.spool-after',
    default: '60s',
    meaning: 'How long a reading may wait in memory only; what waits longer goes to the disk.',
    ...duration(5 * SECOND_MS, HOUR_MS, '60s'),
  },
  outboxFlushEvery: {
    key: 'outbox.flush-every',
    default: '60s',
    meaning:
      'How often what was read is written to the disk while the server is away: a power cut costs at most this.',
    ...duration(5 * SECOND_MS, HOUR_MS, '60s'),
  },
  outboxSpoolSize: {
    key: 'outbox.spool-size',
    default: '64MB',
    meaning: 'How much of the disk readings that wait may take; beyond it the oldest go.',
    ...size('1MB', '16GB', '64MB'),
  },
  outboxFreeSpace: {
    key: 'outbox.free-space',
    default: '10%',
    meaning: 'The share of its file system that the agent leaves free, whatever waits.',
    ...share('0%', '90%', '10%'),
  },
  clockTrust: {
    key: 'clock.trust',
    default: 'synchronised',
    meaning:
      'With synchronised, readings are dated by the clock of this host once a time service has set it. With system, that clock is believed as it is, for a host without a time service.',
    ...choice(['synchronised', 'system']),
  },
  logLevel: {
    key: 'log.level',
    default: 'info',
    meaning: 'The least important lines that are still written.',
    ...choice(['debug', 'info', 'warn', 'error']),
  },
  logFormat: {
    key: 'log.format',
    default: 'text',
    meaning: 'Lines for people, or one JSON object per line for programs.',
    ...choice(['text', 'json']),
  },
} as const satisfies Record<string, Setting>;

export const allSettings: readonly Setting[] = Object.values(settings);
