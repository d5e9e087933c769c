/** The events of the conversation with the server, beside the refusals (verdicts.ts): credentials, provisioning, delivery. */

import type { EventEntry } from './definition.ts';

export const CONNECTION_EVENTS = {
  'FL-CREDENTIALS-NOT-FOUND': { level: 'info', sentence: 'no credentials found' },
  'FL-CREDENTIALS-FOUND': { level: 'info', sentence: 'credentials found' },
  'FL-PROVISIONING-RESUMED': {
    level: 'info',
    sentence: 'an earlier provisioning was interrupted: picking it up',
  },
  'FL-PROVISIONING-STARTED': { level: 'info', sentence: 'provisioning' },
  'FL-PROVISIONING-SLOW': {
    level: 'warn',
    sentence:
      'the server has not answered the provisioning request yet, which is waited for some minutes: check that it runs and that every firewall on the way lets server.url pass (coap is UDP, http and https are TCP)',
  },
  'FL-TOKEN-CHECK-STARTED': {
    level: 'info',
    sentence: 'the server declined the name: asking whether our token is already known',
  },
  'FL-TOKEN-KNOWN': {
    level: 'info',
    sentence: 'the server already knows our token: an earlier answer was lost, nothing else',
  },
  'FL-TOKEN-UNKNOWN': { level: 'info', sentence: 'the server does not know our token yet' },
  'FL-PROVISIONING-COMPLETED': { level: 'info', sentence: 'provisioned: token stored' },
  'FL-TOKEN-WRITE-FAILED': {
    level: 'error',
    sentence:
      'the token cannot be stored, and a power cut now would lose it: check space, rights and health of the state directory; telemetry is delivered meanwhile',
  },
  'FL-TOKEN-REVOKED': {
    level: 'error',
    sentence:
      'the token was refused for minutes: the gateway provisions again under its own name, and goes on trying the old token; delete the device in ThingsBoard if it is to come back as a new one',
  },
  'FL-TOKEN-RESTORED': { level: 'info', sentence: 'the server takes the earlier token again' },
  'FL-SERVER-REACHABLE': { level: 'info', sentence: 'the server answers again' },
  'FL-CREDENTIALS-STORAGE-RESTORED': {
    level: 'info',
    sentence: 'the credentials can be read and written again',
  },
  'FL-CREDENTIALS-RESTORED': { level: 'info', sentence: 'there are credentials that can be read again' },
  'FL-TELEMETRY-STARTED': { level: 'info', sentence: 'first telemetry accepted' },
  'FL-ATTRIBUTES-ACCEPTED': { level: 'info', sentence: 'client attributes accepted' },
  'FL-ATTRIBUTES-REJECTED': {
    level: 'warn',
    sentence: 'the server takes telemetry but no client attributes: check what lies between it and this host',
  },
  'FL-ATTRIBUTES-MALFORMED': {
    level: 'error',
    sentence:
      'the server calls the client attributes malformed; they were left out: report this as a bug of firstlight',
  },
  'FL-ATTRIBUTE-TOO-LARGE': {
    level: 'error',
    sentence:
      'a fact about this host is too large for one datagram and was left out: report this as a bug of firstlight',
  },
  'FL-HOST-FACTS-FAILED': {
    level: 'warn',
    sentence:
      'the facts about this host could not be gathered; telemetry goes on without them: report this as a bug of firstlight',
  },
  'FL-HARDWARE-FACTS-FAILED': {
    level: 'warn',
    sentence:
      'the hardware could not be asked for its details: telemetry goes on without them; restart firstlight if they matter',
  },
  'FL-CREDENTIALS-BACKUP-USED': {
    level: 'warn',
    sentence:
      'the credential file was damaged or missing; its backup is used: check the health of the card if this happens again',
  },
  'FL-CREDENTIALS-REPAIR-FAILED': {
    level: 'warn',
    sentence:
      'the credential store could not be mended: check space, rights and health of the state directory',
  },
  'FL-CREDENTIALS-EXPOSED': {
    level: 'warn',
    sentence:
      'the credential file was readable by others and is now closed to them: if someone may have read it, change the token on the server',
  },
  'FL-CREDENTIALS-DAMAGED': {
    level: 'error',
    sentence:
      'a credential file cannot be understood; it was set aside, and nothing of it is lost: check the health of the card',
  },
  'FL-BOARD-CHANGED': {
    level: 'warn',
    sentence:
      'the stored credentials belong to another board, this card was moved or cloned: they were set aside, and this gateway provisions anew; check that it gets a name of its own',
  },
  'FL-SERVER-CHANGED': {
    level: 'warn',
    sentence:
      'the stored credentials belong to another server: they were set aside, and the gateway provisions with the one now configured; where it is the same server at a new address, list the new and the old URL in server.url and they are used again',
  },
  'FL-CREDENTIALS-REUSED': {
    level: 'info',
    sentence: 'credentials that were set aside fit again and are used',
  },
  'FL-SECRET-DELETED': {
    level: 'info',
    sentence: 'the provisioning secret is not needed any more and was deleted',
  },
  'FL-SECRET-DELETE-FAILED': {
    level: 'warn',
    sentence:
      'the provisioning secret should be forgotten but its file cannot be deleted: delete it by hand, or let the user of the service write to its directory',
  },
} as const satisfies Record<string, EventEntry>;
export const ENDPOINT_EVENTS = {
  'FL-ENDPOINT-FAILOVER': {
    level: 'warn',
    sentence:
      'the way to the server fails, and another URL of server.url is used: check what fails; it is tried again at growing intervals',
  },
  'FL-ENDPOINT-RESTORED': { level: 'info', sentence: 'a better URL of server.url works again and is used' },
  'FL-SERVER-REDIRECTED': {
    level: 'warn',
    sentence:
      'server.url redirects to another address, which is used until the next start: set server.url to that address',
  },
  'FL-PLAINTEXT-ENDPOINT': {
    level: 'warn',
    sentence:
      'this URL leads over public networks without encryption, and whoever can read on the way can read the provisioning secret, the token and all values: set server.url to https, or give the gateway a private way to the server',
  },
  'FL-PLAINTEXT-FALLBACK': {
    level: 'warn',
    sentence:
      'server.url goes from https to a URL without encryption when https fails, as it says: change the list if nothing may ever be readable on the way',
  },
} as const satisfies Record<string, EventEntry>;
