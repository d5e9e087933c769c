/** Whether this server and this user fit: edition, version and authority. */

import type { ServerInfo, UserInfo } from '../rest/entities.ts';
import { RestError } from '../rest/rest-error.ts';

/** The oldest supported version, the oldest with alarm rules as calculated fields, and the newest that was tried. */
const VERSION_MIN = [4, 0] as const;
const ALARM_RULES_MIN = [4, 3] as const;
const TESTED = [4, 3] as const;

export interface ServerCheck {
  readonly hasAlarmRules: boolean;
  /** Sentences for the operator. */
  readonly notes: readonly string[];
}

/** Throws a RestError if nothing can be made. */
export function checkServer({ version, edition }: ServerInfo, { name, authority }: UserInfo): ServerCheck {
  if (authority !== 'TENANT_ADMIN') {
    const who = authority === 'SYS_ADMIN' ? 'the system administrator' : 'a user of a customer';
    throw new RestError(
      'no-rights',
      `${name} is ${who}, who has no devices of a tenant: log in as an administrator of the tenant`,
    );
  }
  const [, major = '', minor = ''] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  const parsed = [Number(major), Number(minor)] as const;
  if (major === '')
    throw new RestError('unsupported-version', `the server does not say which version of ThingsBoard it is`);
  if (isBelow(parsed, VERSION_MIN))
    throw new RestError(
      'unsupported-version',
      `ThingsBoard ${version} is too old: upgrade it to 4.0 or later, or set it up by hand`,
    );
  const hasAlarmRules = !isBelow(parsed, ALARM_RULES_MIN);
  const notes = [
    ...(hasAlarmRules
      ? []
      : [
          `ThingsBoard ${version} stores alarm rules in another form: none is made; upgrade to 4.3 and run the command again.`,
        ]),
    ...(isBelow(TESTED, parsed) ? [`ThingsBoard ${version} is newer than tested (4.3).`] : []),
    ...(edition === 'PE'
      ? ['ThingsBoard PE is not tested; the interface is the same in its documentation.']
      : []),
  ];
  return { hasAlarmRules, notes };
}

function isBelow(one: readonly [number, number], other: readonly [number, number]): boolean {
  return one[0] !== other[0] ? one[0] < other[0] : one[1] < other[1];
}
