/** Bugs of the downlink that a simulation plants to test itself. */

import type { ConfigReloader } from '../../../src/app/config-reloader.ts';
import type { RemoteSettings } from '../../../src/app/remote/remote-settings.ts';
import { encodeRecord, localUrls, type RemoteSettingsFile } from '../../../src/app/remote/settings-file.ts';
import type { LoadedConfig } from '../../../src/config/load.ts';
import type { Clock } from '../../../src/core/ports/clock.ts';
import { override } from '../override.ts';

export const DOWNLINK_PLANTS = {
  'commands-forgotten': 'the history of commands is forgotten at each registration',
  'trial-kept': 'a trial that failed is not taken back',
  'trial-stored': 'settings are stored when their trial begins',
  'command-dropped': 'a command within a minute of another one is acknowledged and not executed',
} as const;

export type DownlinkPlant = keyof typeof DOWNLINK_PLANTS;

/** Longer than the agent remembers a command, ms. */
const FORGOTTEN_MS = 11 * 60_000;

/** The clock of the command history, and what a registration does to it. */
export function plantedHistory(clock: Clock, plant: string | undefined) {
  let aheadMs = 0;
  return {
    clock: override<Clock>(clock, { bootMs: () => clock.bootMs() + aheadMs }),
    onRegistered: () => {
      if (plant === 'commands-forgotten') aheadMs += FORGOTTEN_MS;
    },
  };
}

export function plantedSettings(
  remote: RemoteSettings,
  file: RemoteSettingsFile,
  reloader: () => ConfigReloader,
  plant: string | undefined,
): RemoteSettings {
  if (plant !== 'trial-kept' && plant !== 'trial-stored') return remote;
  return override<RemoteSettings>(remote, {
    load: (cause) => {
      const before = reloader().current;
      const loaded = remote.load(cause);
      if (plant === 'trial-kept')
        return remote.isOnTrial || urlOf(loaded) === urlOf(before) ? loaded : before;
      if (remote.isServerOnTrial) {
        const confirmed = new Map([['server.url', { text: urlOf(loaded), sinceMs: 1 }]]);
        const record = { confirmed, rejected: new Map(), board: [], localUrls: localUrls(loaded) };
        file.write(encodeRecord(record)).catch(() => {});
      }
      return loaded;
    },
  });
}

function urlOf({ config }: LoadedConfig): string {
  return config.server.endpoints[0].url;
}
