/**
 * Events of the session with the server, except failures (failures.ts): credentials, provisioning,
 * delivery, endpoints.
 */

import type { EventEntry } from './definition.ts';

export const CONNECTION_EVENTS = {
  'FL-CREDENTIALS-NOT-FOUND': { level: 'info', sentence: 'no credentials found' },
  'FL-CREDENTIALS-FOUND': { level: 'info', sentence: 'credentials found' },
  'FL-PROVISIONING-RESUMED': {
    level: 'info',
    sentence: 'resuming an interrupted provisioning',
  },
  'FL-PROVISIONING-STARTED': { level: 'info', sentence: 'sending the provisioning request' },
  'FL-PROVISIONING-SLOW': {
    level: 'warn',
    sentence:
      'the server has not responded to the provisioning request within 20 s; the agent waits up to 4 minutes: check that it runs and that every firewall on the path allows server.url (coap and coaps are UDP, http and https are TCP)',
  },
  'FL-TOKEN-CHECK-STARTED': {
    level: 'info',
    sentence: 'the server declined the device name; checking whether it already accepts the access token',
  },
  'FL-TOKEN-KNOWN': {
    level: 'info',
    sentence: 'the server already accepts the access token; only an earlier response was lost',
  },
  'FL-TOKEN-UNKNOWN': { level: 'info', sentence: 'the server does not accept the access token yet' },
  'FL-PROVISIONING-COMPLETED': { level: 'info', sentence: 'provisioned: token stored' },
  'FL-TOKEN-WRITE-FAILED': {
    level: 'error',
    sentence:
      'the access token cannot be stored, and a power cut would lose it; telemetry continues: check the free space, permissions and health of the state directory',
  },
  'FL-TOKEN-REVOKED': {
    level: 'error',
    sentence:
      'the server has rejected the access token for at least 5 minutes; the gateway provisions again under the same name and keeps retrying the old token: to register it as a new device, delete the device in ThingsBoard',
  },
  'FL-TOKEN-RESTORED': { level: 'info', sentence: 'the server accepts the earlier access token again' },
  'FL-SERVER-REACHABLE': { level: 'info', sentence: 'the server responds again' },
  'FL-CREDENTIALS-STORAGE-RESTORED': {
    level: 'info',
    sentence: 'the credentials can be read and written again',
  },
  'FL-CREDENTIALS-RESTORED': { level: 'info', sentence: 'readable credentials are available again' },
  'FL-TELEMETRY-STARTED': { level: 'info', sentence: 'first telemetry accepted' },
  'FL-ATTRIBUTES-ACCEPTED': { level: 'info', sentence: 'client attributes accepted' },
  'FL-ATTRIBUTES-REJECTED': {
    level: 'warn',
    sentence:
      'the server accepts telemetry but rejects client attributes: check the proxies and firewalls between this host and the server',
  },
  'FL-ATTRIBUTES-MALFORMED': {
    level: 'error',
    sentence:
      'the server rejected the client attributes as malformed, and they were omitted: report this as a Firstlight bug',
  },
  'FL-ATTRIBUTE-TOO-LARGE': {
    level: 'error',
    sentence:
      'a client attribute is too large for one datagram and was omitted: report this as a Firstlight bug',
  },
  'FL-HOST-FACTS-FAILED': {
    level: 'warn',
    sentence:
      'the agent could not collect the client attributes of this host; telemetry continues without them: report this as a Firstlight bug',
  },
  'FL-HARDWARE-FACTS-FAILED': {
    level: 'warn',
    sentence:
      'the agent could not read the hardware details; telemetry continues without them: restart firstlight if they are needed',
  },
  'FL-CREDENTIALS-BACKUP-USED': {
    level: 'warn',
    sentence:
      'the credential file is damaged or missing; the agent uses its backup: if this happens again, check the health of the SD card or disk',
  },
  'FL-CREDENTIALS-REPAIR-FAILED': {
    level: 'warn',
    sentence:
      'the agent could not repair the credential files: check the free space, permissions and health of the state directory',
  },
  'FL-CREDENTIALS-EXPOSED': {
    level: 'warn',
    sentence:
      'other users could read the credential file; the agent restricted its permissions: if someone may have read it, change the access token on the server',
  },
  'FL-CREDENTIALS-DAMAGED': {
    level: 'error',
    sentence:
      'a credential file is damaged; the agent archived it unchanged: check the health of the SD card or disk',
  },
  'FL-BOARD-CHANGED': {
    level: 'warn',
    sentence:
      'the stored credentials belong to another board because the SD card was moved or cloned; the agent archived them and provisions again: check that the new device has its own name',
  },
  'FL-BOARD-UNCERTAIN': {
    level: 'warn',
    sentence:
      'the credentials match this board only by an identifier that several boards can share; the agent uses them: if this card or disk is a copy, set another device.name here and run firstlight credentials forget',
  },
  'FL-SERVER-CHANGED': {
    level: 'warn',
    sentence:
      'the stored credentials belong to another server; the agent archived them and provisions with the configured server: if the same server has a new address, set server.url to a list of the new and the old URL',
  },
  'FL-CREDENTIALS-REUSED': {
    level: 'info',
    sentence: 'archived credentials match again and are used',
  },
  'FL-SECRET-DELETED': {
    level: 'info',
    sentence: 'the agent deleted the provisioning secret because it is no longer needed',
  },
  'FL-SECRET-DELETE-FAILED': {
    level: 'warn',
    sentence:
      'the agent cannot delete the file of the provisioning secret: delete it manually, or give the service user write permission for its directory',
  },
} as const satisfies Record<string, EventEntry>;

export const ENDPOINT_EVENTS = {
  'FL-ENDPOINT-FAILOVER': {
    level: 'warn',
    sentence:
      'an endpoint of server.url failed; the agent uses another one and retries the failed one with increasing intervals: check the cause in the field detail',
  },
  'FL-ENDPOINT-RESTORED': {
    level: 'info',
    sentence: 'a preferred endpoint of server.url works again and is used',
  },
  'FL-SERVER-REDIRECTED': {
    level: 'warn',
    sentence:
      'server.url redirects to another address, which the agent uses until its next start: set server.url to that address',
  },
  'FL-DOWNLINK-LIMITED': {
    level: 'warn',
    sentence:
      'the server sends more commands or changes of attributes than the agent accepts, which is four a second after a burst of 32; the others wait on the server: check which program writes shared attributes or sends commands to this device',
  },
  'FL-PLAINTEXT-ENDPOINT': {
    level: 'warn',
    sentence:
      'this URL leads over public networks without encryption; anyone on the path can read the provisioning secret, the access token and all values: set server.url to coaps or https, or give the gateway a private network path to the server',
  },
  'FL-PLAINTEXT-FALLBACK': {
    level: 'warn',
    sentence:
      'server.url contains an unencrypted fallback for an encrypted URL: remove it if data must never be sent in plaintext',
  },
} as const satisfies Record<string, EventEntry>;
