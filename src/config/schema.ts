/**
 * The one table of settings. The file's keys, the variables' names, the example file and the README's table all
 * derive from it, so that a setting is added here and nowhere else.
 *
 * Every value is text, in the file as in the environment; `schema` turns it into what the rest of the program
 * wants, or says what is wrong in words that continue the sentence `<key> = <value> …`.
 */

import * as v from 'valibot';
import { Secret } from '../core/secret.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { parseServerUrl } from './server-url.ts';
import { kindOf } from './show.ts';
import { nearest } from './suggest.ts';

export interface Setting<T = unknown> {
  /** `<table>.<name>`, as in the file. */
  readonly key: string;
  readonly type: 'URL' | 'duration' | 'choice' | 'text' | 'path' | 'secret';
  /** As one would write it in the file; absent: none. */
  readonly default?: string;
  readonly bound: string;
  readonly example: string;
  readonly meaning: string;
  readonly schema: v.GenericSchema<unknown, T>;
}

const HOUR_MS = 3_600_000;
/** What the server's columns hold. */
const TEXT_CHARACTERS_MAX = 255;
const SECOND_MS = 1000;

export const settings = {
  serverUrl: {
    key: 'server.url',
    type: 'URL',
    bound: 'coap://host[:port], port 5683 unless given, an IPv6 address in brackets',
    example: 'coap://thingsboard.example.com',
    meaning: 'The ThingsBoard server. The only setting that must be given.',
    schema: v.pipe(text('a URL'), parsed(parseServerUrl)),
  },
  serverSpread: {
    key: 'server.spread',
    default: '2s',
    meaning:
      'The first request waits a random part of this, so that a fleet that boots at once does not arrive at once.',
    ...duration(0, HOUR_MS, '2s'),
  },
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
    type: 'path',
    bound: 'an absolute path of a regular file of at most 4 KiB',
    example: '/etc/firstlight/secret',
    meaning:
      'A file that holds the secret and nothing else; a newline at its end does not count. Not together with secret.',
    schema: v.pipe(
      text('a path'),
      v.check((path) => path.startsWith('/') && !path.includes('\0'), 'is not an absolute path'),
    ),
  },
  provisioningCredentials: {
    key: 'provisioning.credentials',
    default: 'device-generated',
    meaning:
      'Who makes the access token. With device-generated, a gateway whose answer got lost on the way can still get in.',
    ...choice(['device-generated', 'server-generated']),
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
  telemetryInterval: {
    key: 'telemetry.interval',
    default: '10s',
    meaning: 'The time from one reading of the sensors to the next.',
    ...duration(SECOND_MS, 24 * HOUR_MS, '10s'),
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

/** `[table]` and `name` of a setting. */
export function pathOf(setting: Setting): readonly [table: string, name: string] {
  const [table = '', name = ''] = setting.key.split('.');
  return [table, name];
}

/** `provisioning.secret-file` is FIRSTLIGHT_PROVISIONING_SECRET_FILE. */
export function variableOf(setting: Setting): string {
  return `FIRSTLIGHT_${setting.key.replace(/[.-]/g, '_').toUpperCase()}`;
}

function text(wanted: string) {
  return v.string((issue) => `is ${kindOf(issue.input)}, not ${wanted} in quotes`);
}

/** A parser of ours as a valibot action: what it returns as text is what is wrong. */
function parsed<T extends object | number>(parse: (input: string) => T | string) {
  return v.rawTransform<string, T>(({ dataset, addIssue, NEVER }) => {
    const result = parse(dataset.value);
    if (typeof result !== 'string') return result;
    addIssue({ message: result });
    return NEVER;
  });
}

function boundedText() {
  return v.pipe(
    v.string(),
    v.check((input) => input !== '', 'is empty'),
    v.check((input) => [...input].length <= TEXT_CHARACTERS_MAX, 'is too long'),
    v.check((input) => !/\p{Cc}/u.test(input), 'has a control character in it'),
  );
}

function duration(minMs: number, maxMs: number, example: string) {
  const parse = (input: string): number | string => {
    const ms = parseDuration(input);
    if (ms === undefined) return 'is not a duration';
    if (ms < minMs) return 'is too short';
    return ms > maxMs ? 'is too long' : ms;
  };
  const bound = `${formatDuration(minMs)} to ${formatDuration(maxMs)}`;
  return { type: 'duration', bound, example, schema: v.pipe(text('a duration'), parsed(parse)) } as const;
}

function choice<const Options extends readonly [string, ...string[]]>(options: Options) {
  const message = (input: string): string => {
    const meant = nearest(input, options);
    return `is none of the choices${meant === undefined ? '' : ` (did you mean "${meant}"?)`}`;
  };
  const schema = v.pipe(
    text('text'),
    v.picklist(options, (issue) => message(String(issue.input))),
  );
  return { type: 'choice', bound: options.join(' | '), example: options[0], schema } as const;
}
