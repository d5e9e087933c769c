/** Faults of the configuration, each reported with its file, line and limit. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  coapOf,
  type Fault,
  type FaultSetup,
  openHealthyServer,
  SECRET,
  toml,
  UNREACHABLE_URL,
  withToken,
} from './fault.ts';

const invalidConfig = (name: string, text: string, config: string): Fault => ({
  name,
  event: 'FL-CONFIG-INVALID',
  message: text,
  exit: 78,
  doctor: 'configuration',
  doctorText: text,
  make: async () => config,
});

export const CONFIG_FAULTS: readonly Fault[] = [
  invalidConfig('bad TOML', 'is not valid TOML', '[server\n'),
  invalidConfig(
    'unknown key',
    'log.levle is not a Firstlight key',
    toml(UNREACHABLE_URL, { more: '[log]\nlevle = "info"' }),
  ),
  invalidConfig(
    'unknown table',
    '[telemtry] is not a Firstlight table',
    toml(UNREACHABLE_URL, { more: '[telemtry]\nx = "1"' }),
  ),
  invalidConfig('value out of bounds', 'log.level', toml(UNREACHABLE_URL, { more: '[log]\nlevel = "loud"' })),
  invalidConfig(
    'value of the wrong type',
    'outbox.flush-every',
    toml(UNREACHABLE_URL, { more: '[outbox]\nflush-every = 60' }),
  ),
  invalidConfig('no server.url', 'server.url', '[log]\nlevel = "info"\n'),
  invalidConfig(
    'secret file missing',
    '/nowhere/secret',
    toml(UNREACHABLE_URL, { provisioning: 'key = "k"\nsecret-file = "/nowhere/secret"' }),
  ),
  invalidConfig(
    'secret set twice',
    'provisioning.secret-file',
    toml(UNREACHABLE_URL, { provisioning: `key = "k"\nsecret = "${SECRET}"\nsecret-file = "/etc/hostname"` }),
  ),
  invalidConfig(
    'ca-file without a certificate',
    'server.ca-file',
    toml(UNREACHABLE_URL, { server: 'ca-file = "/etc/hostname"' }),
  ),
  invalidConfig(
    'token that works over CoAP only',
    'device.token = *** contains ;, which works over coap and coaps only',
    withToken('https://things.example.com', { device: 'token = "Site;12"' }),
  ),
  {
    name: 'no provisioning key',
    event: 'FL-PROVISIONING-NOT-CONFIGURED',
    exit: 78,
    doctor: 'provisioning',
    make: async () => toml(UNREACHABLE_URL, { provisioning: '' }),
  },
  {
    name: 'reload of an invalid configuration',
    event: 'FL-CONFIG-RELOAD-REJECTED',
    doctor: 'configuration',
    make: async (at) => {
      const config = withToken(coapOf(await openHealthyServer(at)));
      const meanwhile: FaultSetup['meanwhile'] = async (agent) => {
        const file = join(at.path, 'firstlight.toml');
        await writeFile(file, `${await readFile(file, 'utf8')}[log]\nlevle = "info"\n`);
        agent.kill('SIGHUP');
      };
      return { config, meanwhile };
    },
  },
];
