/**
 * Device credentials: selected and validated for a provisioning request, returned in its response (contract
 * 3.2, 3.4).
 */

import { randomInt } from 'node:crypto';
import type { ProvisionRequest } from './provision-request.ts';

export type Credentials =
  | { readonly type: 'ACCESS_TOKEN'; readonly token: string }
  | { readonly type: 'X509_CERTIFICATE'; readonly certificate: string }
  | {
      readonly type: 'MQTT_BASIC';
      readonly clientId: string;
      readonly userName: string;
      readonly password: string;
    }
  | { readonly type: 'LWM2M_CREDENTIALS' };

export type CredentialsChoice =
  | { readonly ok: true; readonly credentials: Credentials }
  | { readonly ok: false; readonly reason: string };

const ALPHANUMERICS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Length of the tokens and names that the server generates (3.4). */
const RANDOM_LENGTH = 20;

export function randomAlphanumerics(): string {
  let result = '';
  while (result.length < RANDOM_LENGTH) result += ALPHANUMERICS.charAt(randomInt(ALPHANUMERICS.length));
  return result;
}

/**
 * Without a credential member in the request the server generates a token, whatever the requested type (3.4).
 */
export function chooseCredentials(request: ProvisionRequest, generateToken: () => string): CredentialsChoice {
  const { token, hash, username, password, clientId } = request;
  if (token + hash + username + password + clientId === '') {
    return { ok: true, credentials: { type: 'ACCESS_TOKEN', token: generateToken() } };
  }
  switch (request.credentialsType) {
    case 'ACCESS_TOKEN':
      return token === '' ? reject('no token given') : accept({ type: 'ACCESS_TOKEN', token });
    case 'X509_CERTIFICATE': {
      const certificate = certificateText(hash);
      return certificate === ''
        ? reject('no certificate given')
        : accept({ type: 'X509_CERTIFICATE', certificate });
    }
    case 'MQTT_BASIC':
      if (clientId === '' && username === '') return reject('neither clientId nor username given');
      if (clientId !== '' && password !== '' && username === '')
        return reject('a password without a username');
      return accept({ type: 'MQTT_BASIC', clientId, userName: username, password });
    case 'LWM2M_CREDENTIALS':
      return accept({ type: 'LWM2M_CREDENTIALS' });
  }
}

/** PEM without its frame and line ends, as the server stores and compares it. */
export function certificateText(pem: string): string {
  return pem.replace(/-----(BEGIN|END)[^-]*-----/g, '').replace(/[\r\n]/g, '');
}

/** Unique over all devices; undefined for LwM2M, which the sandbox does not examine. */
export function credentialsId(credentials: Credentials): string | undefined {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return `token ${credentials.token}`;
    case 'X509_CERTIFICATE':
      return `certificate ${credentials.certificate}`;
    case 'MQTT_BASIC':
      return `mqtt ${JSON.stringify([credentials.clientId, credentials.userName])}`;
    case 'LWM2M_CREDENTIALS':
      return undefined;
  }
}

/** The `credentialsValue` of a response; absent for LwM2M (3.2). */
export function credentialsValue(credentials: Credentials): unknown {
  switch (credentials.type) {
    case 'ACCESS_TOKEN':
      return credentials.token;
    case 'X509_CERTIFICATE':
      return credentials.certificate;
    case 'MQTT_BASIC': {
      const { clientId, userName, password } = credentials;
      return { clientId, userName, password };
    }
    case 'LWM2M_CREDENTIALS':
      return undefined;
  }
}

function accept(credentials: Credentials): CredentialsChoice {
  const hasControl = [...(credentialsId(credentials) ?? '')].some((char) => char < ' ' || char === '\u007F');
  return hasControl ? reject('control characters in the credentials') : { ok: true, credentials };
}

function reject(reason: string): CredentialsChoice {
  return { ok: false, reason };
}
