/** Faults of the host: its clock, its identity, its sensors. */

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  coapOf,
  type Fault,
  openHealthyServer,
  type Place,
  SECRET,
  toml,
  UNREACHABLE_URL,
  withToken,
} from './fault.ts';
import { FAKETIME } from './needs.ts';

const exec = (command: string) => async (at: Place) =>
  withToken(coapOf(await openHealthyServer(at)), {
    more: `[[sensor.exec]]\nname = "tank"\ncommand = ${command}\nevery = "1s"`,
  });

/** A network namespace without an interface, so without a MAC address. */
const WITHOUT_MAC = ['unshare', '-n', 'sh', '-ec', 'mount -t sysfs none /sys\nexec "$0" "$@"'];
/** The same on a board without a serial number. */
const WITHOUT_IDENTITY = ['unshare', '-m', ...WITHOUT_MAC];

export const HOST_FAULTS: readonly Fault[] = [
  {
    name: 'host without a time service',
    event: 'FL-CLOCK-UNVERIFIABLE',
    doctor: 'clock',
    online: true,
    isSlow: true,
    needs: 'no timesyncd',
    make: async (at) => {
      const config = withToken(coapOf(await openHealthyServer(at)), { clock: 'trust = "synchronised"' });
      // Neither timedatectl nor perl is in this PATH.
      return { config, environment: { PATH: at.runtime } };
    },
  },
  {
    name: 'unsynchronised clock',
    event: 'FL-CLOCK-UNSYNCHRONISED',
    doctor: 'clock',
    doctorText: 'not synchronised by a time service',
    online: true,
    isSlow: true,
    needs: 'a clock that is not synchronised',
    make: async (at) => withToken(coapOf(await openHealthyServer(at)), { clock: 'trust = "synchronised"' }),
  },
  {
    name: 'time service synchronised to a date before the release',
    event: 'FL-CLOCK-BEFORE-RELEASE',
    message: 'date=2007-04-15T',
    doctor: 'clock',
    doctorText: '2007-04-15T',
    online: true,
    needs: 'faketime',
    make: async (at) => {
      const config = withToken(coapOf(await openHealthyServer(at)), { clock: 'trust = "synchronised"' });
      await writeFile(join(at.path, 'timedatectl'), '#!/bin/sh\necho yes\n', { mode: 0o755 });
      const path = `${at.path}:${process.env['PATH']}`;
      const date = {
        LD_PRELOAD: FAKETIME,
        FAKETIME: '@2007-04-15 12:00:00',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      };
      return { config, environment: { PATH: path, ...date } };
    },
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
    name: 'sensor program prints an invalid value',
    event: 'FL-CUSTOM-SENSOR-INVALID-VALUE',
    online: true,
    make: exec('["/bin/echo", "level=1\\nnonsense"]'),
  },
  {
    name: 'device name with a missing MAC address',
    event: 'FL-DEVICE-NAME-INVALID',
    exit: 78,
    doctor: 'identity',
    needs: 'network namespaces',
    make: async () => ({
      config: toml(UNREACHABLE_URL, { device: 'name = "gw-{mac}"' }),
      within: WITHOUT_IDENTITY,
    }),
  },
  {
    name: 'device name that clones share',
    event: 'FL-DEVICE-NAME-AMBIGUOUS',
    isEarly: true,
    doctor: 'identity',
    needs: 'network namespaces',
    make: async () => ({
      config: toml(UNREACHABLE_URL, { device: '', provisioning: `key = "k"\nsecret = "${SECRET}"` }),
      within: WITHOUT_IDENTITY,
    }),
  },
];
