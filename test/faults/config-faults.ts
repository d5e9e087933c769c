/** Faults of the configuration: each told with its file, its line, its bound. */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type Broken,
  coapOf,
  type Fault,
  healthyAt,
  SECRET,
  toml,
  UNREACHABLE_URL,
  withToken,
} from './fault.ts';

const wrong = (name: string, says: string, config: string): Fault => ({
  name,
  event: 'FL-CONFIG-INVALID',
  message: says,
  exit: 78,
  doctor: 'configuration',
  doctorText: says,
  make: async () => config,
});

export const CONFIG_FAULTS: readonly Fault[] = [
  wrong('bad TOML', 'is not valid TOML', '[server\n'),
  wrong(
    'unknown key',
    'log.levle is not a Firstlight key',
    toml(UNREACHABLE_URL, { more: '[log]\nlevle = "info"' }),
  ),
  wrong(
    'unknown table',
    '[telemtry] is not a Firstlight table',
    toml(UNREACHABLE_URL, { more: '[telemtry]\nx = "1"' }),
  ),
  wrong('value out of bounds', 'log.level', toml(UNREACHABLE_URL, { more: '[log]\nlevel = "loud"' })),
  wrong(
    'value of the wrong type',
    'outbox.flush-every',
    toml(UNREACHABLE_URL, { more: '[outbox]\nflush-every = 60' }),
  ),
  wrong('no server.url', 'server.url', '[log]\nlevel = "info"\n'),
  wrong(
    'secret file missing',
    '/nowhere/secret',
    toml(UNREACHABLE_URL, { provisioning: 'key = "k"\nsecret-file = "/nowhere/secret"' }),
  ),
  wrong(
    'secret given twice',
    'provisioning.secret-file',
    toml(UNREACHABLE_URL, { provisioning: `key = "k"\nsecret = "${SECRET}"\nsecret-file = "/etc/hostname"` }),
  ),
  wrong(
    'file of issuers that holds none',
    'server.ca-file',
    toml(UNREACHABLE_URL, { server: 'ca-file = "/etc/hostname"' }),
  ),
  {
    name: 'no provisioning pair',
    event: 'FL-PROVISIONING-NOT-CONFIGURED',
    exit: 78,
    doctor: 'provisioning',
    make: async () => toml(UNREACHABLE_URL, { provisioning: '' }),
  },
  {
    name: 'reloaded with a problem',
    event: 'FL-CONFIG-RELOAD-REJECTED',
    doctor: 'configuration',
    make: async (at) => {
      const config = withToken(coapOf(await healthyAt(at)));
      const meanwhile: Broken['meanwhile'] = async (agent) => {
        const file = join(at.path, 'firstlight.toml');
        await writeFile(file, `${await readFile(file, 'utf8')}[log]\nlevle = "info"\n`);
        agent.kill('SIGHUP');
      };
      return { config, meanwhile };
    },
  },
];
