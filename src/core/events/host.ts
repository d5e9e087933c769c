/** Events of the process and its host: start, stop, configuration, service manager, device name. */

import type { EventEntry } from './definition.ts';

export const HOST_EVENTS = {
  'FL-AGENT-STARTED': { level: 'info', sentence: 'firstlight is ready' },
  'FL-AGENT-STOPPED': { level: 'info', sentence: 'firstlight stopped' },
  'FL-INTERNAL-ERROR': {
    level: 'error',
    sentence: 'an internal error stopped firstlight: report it as a Firstlight bug, with these log lines',
  },
  'FL-INSTALLATION-CORRUPT': {
    level: 'error',
    sentence:
      'a program file is missing or damaged, for example because of an upgrade, and the agent exits: restart it, and install Firstlight again if that does not help',
  },
  'FL-CONFIG-INVALID': {
    level: 'error',
    sentence:
      'a setting is invalid, and the log line names it: correct it, then restart or reload firstlight',
  },
  'FL-CONFIG-WARNING': {
    level: 'warn',
    sentence: 'a setting is valid but questionable, and the log line names it: check it',
  },
  'FL-CONFIG-RELOAD-REJECTED': {
    level: 'error',
    sentence:
      'the new configuration has problems; the agent keeps the previous settings: correct the problems in the preceding log lines and reload again',
  },
  'FL-CONFIG-RELOAD-FAILED': {
    level: 'error',
    sentence:
      'the agent cannot run with the new configuration and keeps the previous settings: correct the problem in the field error and reload again',
  },
  'FL-CONFIG-UNCHANGED': {
    level: 'info',
    sentence: 'the configuration was reloaded; nothing has changed',
  },
  'FL-CONFIG-CHANGED': {
    level: 'info',
    sentence: 'the configuration was reloaded; the new settings apply',
  },
  'FL-CONFIG-CHANGE-DELAYED': {
    level: 'warn',
    sentence:
      'the disk has not finished its writes, so the new settings of [outbox] and [clock] apply later: if they still do not apply after a minute, check the health of the SD card or disk',
  },
  'FL-STATE-LOCKED': {
    level: 'error',
    sentence:
      'another firstlight process uses this state directory: stop it, or give this one another state directory',
  },
  'FL-STATE-UNUSABLE': {
    level: 'error',
    sentence:
      'the state directory cannot be used, and the log line gives the reason: check its free space, permissions and health',
  },
  'FL-STATE-VOLATILE': {
    level: 'warn',
    sentence:
      'the state directory is in memory, so a reboot or power cut loses the access token, and ThingsBoard then declines the device name: move the state directory to a disk, or set device.token',
  },
  'FL-PROVISIONING-NOT-CONFIGURED': {
    level: 'error',
    sentence:
      'there are no credentials, and provisioning is not configured: set provisioning.key and provisioning.secret to those of the device profile',
  },
  'FL-DEVICE-NAME-INVALID': {
    level: 'error',
    sentence:
      'the agent cannot derive a valid device name, and the log line gives the reason: set a device.name that fits this host',
  },
  'FL-DEVICE-NAME-AMBIGUOUS': {
    level: 'warn',
    sentence:
      'the device name is derived from an identifier that cloned hosts may share: set device.name, or check machine-id',
  },
  'FL-AGENT-STALLED': {
    level: 'error',
    sentence:
      'a part of the agent has stalled; the agent stops its watchdog notifications, and systemd will restart it: if this happens again, report it with the preceding log lines',
  },
  'FL-AGENT-RESUMED': { level: 'info', sentence: 'the stalled part of the agent has resumed' },
  'FL-SHUTDOWN-TIMEOUT': {
    level: 'error',
    sentence:
      'a part of the agent had stalled and did not stop in time: if this happens again, report it with the preceding log lines',
  },
  'FL-STATUS-WRITE-FAILED': {
    level: 'warn',
    sentence:
      'the agent cannot write its status, so "firstlight status" cannot show it: check that the runtime directory is writable',
  },
  'FL-STATUS-DISABLED': {
    level: 'info',
    sentence:
      'there is no runtime directory, so "firstlight status" shows only whether the agent runs: mount a tmpfs at /run/firstlight, or set RUNTIME_DIRECTORY to a directory in memory',
  },
  'FL-NOTIFY-FAILED': {
    level: 'warn',
    sentence:
      'the agent cannot notify systemd, which will restart it when the watchdog expires: check that systemd-notify is installed and that the unit has NotifyAccess=all',
  },
} as const satisfies Record<string, EventEntry>;
