/** The events of the process and its host: start, stop, configuration, service manager, identity. */

import type { EventEntry } from './definition.ts';

export const HOST_EVENTS = {
  'FL-AGENT-STARTED': { level: 'info', sentence: 'firstlight is ready' },
  'FL-AGENT-STOPPED': { level: 'info', sentence: 'firstlight stopped' },
  'FL-INTERNAL-ERROR': {
    level: 'error',
    sentence: 'a bug ended firstlight: please report it with these lines',
  },
  'FL-INSTALLATION-CORRUPT': {
    level: 'error',
    sentence:
      'a file of the program is missing or damaged, as when an upgrade has replaced it, and firstlight ends: start it again, and install it again if that does not help',
  },
  'FL-CONFIG-INVALID': {
    level: 'error',
    sentence: 'a setting is wrong, and the line says which: correct it, and restart or reload firstlight',
  },
  'FL-CONFIG-WARNING': {
    level: 'warn',
    sentence: 'a setting is accepted with a doubt, and the line says which: check it',
  },
  'FL-CONFIG-RELOAD-REJECTED': {
    level: 'error',
    sentence:
      'the new configuration has problems, and the settings from before go on: correct what the lines above say and reload again',
  },
  'FL-CONFIG-RELOAD-FAILED': {
    level: 'error',
    sentence:
      'the new configuration cannot work, and the settings from before go on: correct what the field says and reload again',
  },
  'FL-CONFIG-UNCHANGED': {
    level: 'info',
    sentence: 'the configuration was read again, and nothing has changed',
  },
  'FL-CONFIG-CHANGED': {
    level: 'info',
    sentence: 'the configuration was read again, and counts from now on',
  },
  'FL-STATE-LOCKED': {
    level: 'error',
    sentence:
      'another firstlight already runs on this state directory: stop it, or give this one another state directory',
  },
  'FL-STATE-UNUSABLE': {
    level: 'error',
    sentence:
      'the state directory cannot be used, and the line says why: check space, rights and health of it',
  },
  'FL-PROVISIONING-NOT-CONFIGURED': {
    level: 'error',
    sentence:
      'there are no credentials and no way to get any: set provisioning.key and provisioning.secret of the device profile',
  },
  'FL-DEVICE-NAME-INVALID': {
    level: 'error',
    sentence: 'no device name can be made, and the line says why: set a device.name that fits this host',
  },
  'FL-DEVICE-NAME-AMBIGUOUS': {
    level: 'warn',
    sentence: 'the device name is made from what a clone may share: set device.name, or check machine-id',
  },
  'FL-AGENT-STALLED': {
    level: 'error',
    sentence:
      'a part of the agent stands still; the service manager is not told any more that it lives, and restarts it: report this with the lines before it if it happens again',
  },
  'FL-AGENT-RESUMED': { level: 'info', sentence: 'what stood still goes on again' },
  'FL-SHUTDOWN-TIMEOUT': {
    level: 'error',
    sentence:
      'a part of the agent stood still, and was left behind at the stop: report this with the lines before it if it happens again',
  },
  'FL-STATUS-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'the status cannot be written, and "firstlight status" knows nothing: check that the runtime directory can be written',
  },
  'FL-STATUS-DISABLED': {
    level: 'info',
    sentence:
      'there is no runtime directory, and "firstlight status" only sees that the agent runs: mount a tmpfs at /run/firstlight, or set RUNTIME_DIRECTORY to a directory in memory',
  },
  'FL-NOTIFY-FAILED': {
    level: 'warn',
    sentence:
      'systemd cannot be told how the agent does, and restarts it when it hears nothing: check that systemd-notify is installed and that the unit has NotifyAccess=all',
  },
} as const satisfies Record<string, EventEntry>;
