/** Checks with which key and name the agent would provision. Sends nothing, because a request creates a device. */

import { EVENTS, splitSentence } from '../core/events/catalogue.ts';
import { type Check, type CheckResult, fail, pass, skip } from './check.ts';
import type { CredentialState } from './credential-state.ts';

export interface ProvisioningPair {
  readonly key: string;
  readonly secretCharacters: number;
}

/** `pair` is `unreadable` if this user cannot read the secret. */
export function provisioningCheck(
  name: string,
  pair: ProvisioningPair | 'unreadable' | undefined,
  credentials: CredentialState,
): Check {
  return {
    name: 'provisioning',
    run: async () =>
      pair === 'unreadable'
        ? withHiddenSecret(checkProvisioning(name, undefined, credentials))
        : checkProvisioning(name, pair, credentials),
  };
}

/** Drops a failure whose only reason is the missing secret. */
function withHiddenSecret(result: CheckResult): CheckResult {
  return result.status === 'fail' && result.meaning === NO_CREDENTIAL_SOURCE
    ? skip('this user cannot read the provisioning secret: run with sudo')
    : result;
}

const NO_CREDENTIAL_SOURCE = 'the gateway has no credentials and cannot provision';

function checkProvisioning(
  name: string,
  pair: ProvisioningPair | undefined,
  credentials: CredentialState,
): CheckResult {
  switch (credentials.status) {
    case 'configured':
      return pass(
        credentials.isCertificate
          ? 'not needed: the client certificate is the credentials of the device'
          : 'not needed: the configuration contains the token',
      );
    case 'usable':
      return pair
        ? checkKey(
            pair,
            pass(`not needed: there are credentials for ${credentials.device} (and ${describePair(pair)})`),
          )
        : pass('not needed: there are credentials');
    case 'damaged':
    case 'newer': {
      const event = credentials.status === 'damaged' ? 'FL-CREDENTIALS-UNREADABLE' : 'FL-CREDENTIALS-NEWER';
      const { cause, remedy } = splitSentence(EVENTS[event].sentence);
      return fail(credentials.problem, `${cause}; the agent sends no request to the server`, remedy);
    }
    case 'pending':
      return pair
        ? describePlan(
            `requested as ${credentials.device} before: the agent would verify that token and, if it is invalid, request a new one`,
            pair,
          )
        : pass(
            `requested as ${credentials.device} before: the agent would verify that token; nothing was sent`,
          );
    case 'bound-elsewhere': {
      const { differs, device, server } = credentials;
      const observed = `the credentials belong to another ${differs} (${device} on ${server})`;
      return pair
        ? describePlan(`${observed}: the agent would archive them and provision as ${name}`, pair)
        : missingPairResult(`${observed}, and there is no provisioning key`, 'server.url back, or');
    }
    case 'unreadable':
      return pair
        ? describePlan(`the agent would provision as ${name} if there are no credentials`, pair)
        : skip(credentials.problem);
    case 'absent':
      return pair
        ? describePlan(`the agent would provision as ${name}`, pair)
        : missingPairResult('no credentials and no provisioning key');
  }
}

function describePlan(observed: string, pair: ProvisioningPair): CheckResult {
  return checkKey(pair, pass(`${observed} with ${describePair(pair)}; nothing was sent`));
}

function describePair({ key, secretCharacters }: ProvisioningPair): string {
  return `a key of ${key.length} characters and a secret of ${secretCharacters}`;
}

/** Returns `result` if the key has the form of a ThingsBoard key. */
function checkKey({ key, secretCharacters }: ProvisioningPair, result: CheckResult): CheckResult {
  return /\s|["'…<>]/.test(key)
    ? fail(
        describePair({ key, secretCharacters }),
        'the key contains a space or a quotation mark, which a ThingsBoard key never has',
        'copy provisioning.key again from the device profile',
      )
    : result;
}

export function missingPairResult(observed: string, alternative = ''): CheckResult {
  return fail(
    observed,
    NO_CREDENTIAL_SOURCE,
    `set ${alternative === '' ? '' : `${alternative} `}provisioning.key and provisioning.secret of the device profile`,
  );
}
