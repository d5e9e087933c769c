/** The device profile: default transport, devices may be created, provisioning key and secret made here. */

import { randomInt } from 'node:crypto';
import type { JsonObject } from '../../core/model/json-object.ts';
import { Secret } from '../../core/model/secret.ts';
import { objectOf, textOf } from '../rest/json-values.ts';
import { MADE_BY, PROFILE_NAME } from './sources.ts';

export interface ProvisioningPair {
  readonly key: string;
  readonly secret: Secret;
}

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
/** 103 and 165 bits; the key must be unique on the server. */
const KEY_LENGTH = 20;
const SECRET_LENGTH = 32;

export function makeProvisioningPair(): ProvisioningPair {
  return { key: randomText(KEY_LENGTH), secret: new Secret(randomText(SECRET_LENGTH)) };
}

function randomText(length: number): string {
  return Array.from({ length }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
}

/** What an operator must not have changed for an update: without key and secret, which are theirs to change. */
export const PROFILE_CONTENT = {
  name: PROFILE_NAME,
  description: MADE_BY,
  type: 'DEFAULT',
  transportType: 'DEFAULT',
  provisionType: 'ALLOW_CREATE_NEW_DEVICES',
} as const;

export function newProfile({ key, secret }: ProvisioningPair): JsonObject {
  return {
    ...PROFILE_CONTENT,
    provisionDeviceKey: key,
    profileData: {
      configuration: { type: 'DEFAULT' },
      transportConfiguration: { type: 'DEFAULT' },
      provisionConfiguration: {
        type: 'ALLOW_CREATE_NEW_DEVICES',
        provisionDeviceSecret: secret.reveal(),
      },
      alarms: null,
    },
  };
}

/** Undefined if the profile does not allow to create devices with a key and a secret. */
export function provisioningPairOf(profile: JsonObject): ProvisioningPair | undefined {
  const configuration = objectOf(objectOf(profile, 'profileData'), 'provisionConfiguration');
  const key = textOf(profile, 'provisionDeviceKey');
  const secret = textOf(configuration, 'provisionDeviceSecret');
  if (textOf(profile, 'provisionType') !== PROFILE_CONTENT.provisionType || key === '' || secret === '')
    return undefined;
  return { key, secret: new Secret(secret) };
}
