/**
 * How the gateway gets in: what it would provision with, and from where it would go on. Dry: nothing is sent, because a request
 * creates a device.
 */

import { EVENTS, halvesOf } from '../core/events/catalogue.ts';
import { type Check, cross, dash, type Finding, tick } from './check.ts';
import type { Credentials } from './credential-state.ts';

export interface Pair {
  readonly key: string;
  readonly secretCharacters: number;
}

/** `hidden`: there may be a pair, and this user may not see its secret. */
export function provisioningCheck(
  name: string,
  pair: Pair | 'hidden' | undefined,
  credentials: Credentials,
): Check {
  return {
    name: 'provisioning',
    look: async () =>
      pair === 'hidden' ? unseen(found(name, undefined, credentials)) : found(name, pair, credentials),
  };
}

/** What is said without a pair counts, but for the lack of one. */
function unseen(finding: Finding): Finding {
  return finding.mark === 'cross' && finding.means === NO_WAY
    ? dash('the provisioning secret may not be looked at by this user: run it with sudo')
    : finding;
}

const NO_WAY = 'the gateway has no way to get in';

function found(name: string, pair: Pair | undefined, credentials: Credentials): Finding {
  switch (credentials.are) {
    case 'given':
      return tick('not needed: the configuration gives the token');
    case 'usable':
      return pair
        ? sound(pair, tick(`not needed: there are credentials of ${credentials.device} (and ${shape(pair)})`))
        : tick('not needed: there are credentials');
    case 'damaged':
    case 'newer': {
      const event = credentials.are === 'damaged' ? 'FL-CREDENTIALS-UNREADABLE' : 'FL-CREDENTIALS-NEWER';
      const { cause, remedy } = halvesOf(EVENTS[event].sentence);
      return cross(credentials.problem, `${cause}; the agent asks nothing of the server`, remedy);
    }
    case 'pending':
      return pair
        ? would(
            `asked for as ${credentials.device} before: would ask whether that worked, and if not again`,
            pair,
          )
        : tick(`asked for as ${credentials.device} before: would ask whether that worked; nothing was sent`);
    case 'of another': {
      const { what, device, server } = credentials;
      const seen = `the credentials are of another ${what} (${device} on ${server})`;
      return pair
        ? would(`${seen}: would keep them aside and ask as ${name}`, pair)
        : lacking(`${seen}, and there is no provisioning pair`, 'server.url back, or');
    }
    case 'hidden':
      return pair
        ? would(`would ask as ${name} if there are no credentials`, pair)
        : dash(credentials.problem);
    case 'absent':
      return pair ? would(`would ask as ${name}`, pair) : lacking('no credentials and no provisioning pair');
  }
}

function would(seen: string, pair: Pair): Finding {
  return sound(pair, tick(`${seen} with ${shape(pair)}; nothing was sent`));
}

function shape({ key, secretCharacters }: Pair): string {
  return `a key of ${key.length} characters and a secret of ${secretCharacters}`;
}

/** `finding`, unless the key cannot be one. */
function sound({ key, secretCharacters }: Pair, finding: Finding): Finding {
  return /\s|["'…<>]/.test(key)
    ? cross(
        shape({ key, secretCharacters }),
        'the key holds a blank or a quotation mark, which ThingsBoard never makes',
        'copy provisioning.key again from the device profile',
      )
    : finding;
}

export function lacking(seen: string, or = ''): Finding {
  return cross(
    seen,
    NO_WAY,
    `set ${or === '' ? '' : `${or} `}provisioning.key and provisioning.secret of the device profile`,
  );
}
