/** Faults of the host: its clock, its identity, its sensors. */

import {
  coapOf,
  type Fault,
  healthyAt,
  type Place,
  SECRET,
  toml,
  UNREACHABLE_URL,
  withToken,
} from './fault.ts';

const exec = (command: string) => async (at: Place) =>
  withToken(coapOf(await healthyAt(at)), {
    more: `[[sensor.exec]]\nname = "tank"\ncommand = ${command}\nevery = "1s"`,
  });

/** A network without any card, in which nobody has a MAC address. */
const CARDLESS = ['unshare', '-n', 'sh', '-ec', 'mount -t sysfs none /sys\nexec "$0" "$@"'];
/** And a board without a serial number. */
const BARE = ['unshare', '-m', ...CARDLESS];

export const HOST_FAULTS: readonly Fault[] = [
  {
    name: 'clock that nothing on the host can vouch for',
    event: 'FL-CLOCK-UNVERIFIABLE',
    doctor: 'clock',
    online: true,
    isSlow: true,
    needs: 'no timesyncd',
    make: async (at) => {
      const config = withToken(coapOf(await healthyAt(at)), { clock: 'trust = "synchronised"' });
      // Neither timedatectl nor perl is found there.
      return { config, environment: { PATH: at.runtime } };
    },
  },
  {
    name: 'clock that no time service has set',
    event: 'FL-CLOCK-UNSYNCHRONISED',
    doctor: 'clock',
    doctorText: 'not synchronised by any time service',
    online: true,
    isSlow: true,
    needs: 'a clock that is not synchronised',
    make: async (at) => withToken(coapOf(await healthyAt(at)), { clock: 'trust = "synchronised"' }),
  },
  {
    name: 'sensor program missing',
    event: 'FL-CUSTOM-SENSOR-FAILED',
    message: 'does not exist',
    online: true,
    make: exec('["/nowhere/tank-level"]'),
  },
  {
    name: 'sensor program fails',
    event: 'FL-CUSTOM-SENSOR-FAILED',
    message: 'status 3',
    online: true,
    make: exec('["/bin/sh", "-c", "exit 3"]'),
  },
  {
    name: 'sensor program hangs',
    event: 'FL-CUSTOM-SENSOR-FAILED',
    message: 'did not finish',
    isSlow: true,
    online: true,
    make: exec('["/bin/sleep", "60"]'),
  },
  {
    name: 'sensor program says no value',
    event: 'FL-CUSTOM-SENSOR-INVALID-VALUE',
    online: true,
    make: exec('["/bin/echo", "level=1\\nnonsense"]'),
  },
  {
    name: 'name of a card that is not there',
    event: 'FL-DEVICE-NAME-INVALID',
    exit: 78,
    doctor: 'identity',
    needs: 'network namespaces',
    make: async () => ({ config: toml(UNREACHABLE_URL, { device: 'name = "gw-{mac}"' }), within: BARE }),
  },
  {
    name: 'name that clones share',
    event: 'FL-DEVICE-NAME-AMBIGUOUS',
    doctor: 'identity',
    needs: 'network namespaces',
    make: async () => ({
      config: toml(UNREACHABLE_URL, { device: '', provisioning: `key = "k"\nsecret = "${SECRET}"` }),
      within: BARE,
    }),
  },
];
