/** Faults of the state directory: its disk, its permissions, its files, and other processes. */

import { chown, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AgentProcess } from '../app/agent-process.ts';
import {
  coapOf,
  type Fault,
  httpOf,
  openHealthyServer,
  openSandboxFor,
  type Place,
  recordText,
  TOKEN,
  toml,
  UNREACHABLE_URL,
  withMounts,
  writeRecord,
} from './fault.ts';

const NOBODY = 65_534;
const FOREIGN = { fingerprint: ['serial:0000000000000000', 'mac:0000000000000000'] };
/** As stored by an agent that did not mark addresses on USB: that of the modem of `withNetwork`, and another. */
const SAME_MODEM = { fingerprint: [`mac:${'0'.repeat(16)}`, 'mac:766e0027af01978d'] };

/** On a board with one burnt-in address, and a modem on USB. */
async function withNetwork(at: Place): Promise<readonly string[]> {
  const network = join(at.path, 'network');
  const files = {
    'eth0/address': '00:00:5e:00:53:01',
    'eth0/addr_assign_type': '0',
    'eth0/device/modalias': 'test',
    'wwan0/address': '00:00:5e:00:53:02',
    'wwan0/addr_assign_type': '0',
    'wwan0/device/bInterfaceNumber': '00',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(network, path)), { recursive: true });
    await writeFile(join(network, path), `${text}\n`);
  }
  return withMounts(at, `mount --bind ${network} /sys/class/net`);
}

const withRecords = (content: (url: string) => string, names?: readonly string[]) => async (at: Place) => {
  const url = coapOf(await openHealthyServer(at));
  await writeRecord(at, content(url), names);
  return toml(url);
};

const withRemoteSettings = async (at: Place, content: string) => {
  await mkdir(at.state, { mode: 0o700 });
  await writeFile(join(at.state, 'remote-settings.json'), content, { mode: 0o600 });
  return toml(coapOf(await openSandboxFor(at)));
};

export const STATE_FAULTS: readonly Fault[] = [
  {
    name: 'state directory is a file',
    event: 'FL-STATE-UNUSABLE',
    message: 'a file has the name of the directory',
    exit: 75,
    doctor: 'state directory',
    doctorText: 'is not a directory',
    make: async ({ state }) => {
      await writeFile(state, '');
      return toml(UNREACHABLE_URL);
    },
  },
  {
    name: 'state directory of another user',
    event: 'FL-CREDENTIALS-STORAGE-FAILED',
    message: 'permission denied',
    doctor: 'last success',
    needs: 'root',
    make: async ({ path, state, runtime }) => {
      await mkdir(state, { mode: 0o700 });
      for (const each of [path, runtime, join(path, 'firstlight.toml')]) await chown(each, NOBODY, NOBODY);
      const within = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'];
      return { config: toml(UNREACHABLE_URL), within };
    },
  },
  {
    name: 'state directory read-only',
    event: 'FL-CREDENTIALS-STORAGE-FAILED',
    message: 'the file system is read-only',
    doctor: 'state directory',
    doctorText: 'mounted read-only',
    needs: 'mounts',
    make: async (at) => {
      await mkdir(at.state, { mode: 0o700 });
      const within = withMounts(at, 'mount --bind $S $S', 'mount -o remount,bind,ro $S');
      return { config: toml(UNREACHABLE_URL), within };
    },
  },
  {
    name: 'state directory in memory',
    event: 'FL-STATE-VOLATILE',
    message: 'storage="tmpfs at ',
    doctor: 'state directory',
    doctorText: ' is on tmpfs at ',
    online: true,
    needs: 'mounts',
    make: async (at) => {
      await mkdir(at.state, { mode: 0o700 });
      const within = withMounts(at, 'mount -t tmpfs -o mode=700 none $S');
      return { config: toml(coapOf(await openSandboxFor(at))), within };
    },
  },
  {
    name: 'disk full',
    event: 'FL-CREDENTIALS-STORAGE-FAILED',
    message: 'the disk is full',
    doctor: 'state directory',
    doctorText: '0 kB free',
    needs: 'mounts',
    make: async (at) => {
      await mkdir(at.state, { mode: 0o700 });
      const fill = 'cat /dev/zero >$S/filling 2>/dev/null || true';
      const within = withMounts(at, 'mount -t tmpfs -o size=64k,mode=700 none $S', fill);
      return { config: toml(coapOf(await openSandboxFor(at))), within };
    },
  },
  {
    name: 'second instance of the agent',
    event: 'FL-STATE-LOCKED',
    exit: 75,
    make: async (at) => {
      const config = toml(UNREACHABLE_URL);
      const file = join(at.path, 'first.toml');
      await writeFile(file, config, { mode: 0o600 });
      const first = AgentProcess.run(['run', '--config', file, '--state', at.state]);
      at.later(() => first[Symbol.asyncDispose]());
      await first.line('event=FL-CREDENTIALS-NOT-FOUND');
      return config;
    },
  },
  {
    name: 'both credential files torn',
    event: 'FL-CREDENTIALS-UNREADABLE',
    message: 'both files are unchanged',
    doctor: 'provisioning',
    doctorText: 'credentials.json is truncated or not JSON, and the file',
    make: withRecords(() => '{"version":1,"sta'),
  },
  {
    name: 'credential file torn, backup intact',
    event: 'FL-CREDENTIALS-BACKUP-USED',
    online: true,
    make: async (at) => {
      const url = coapOf(await openHealthyServer(at));
      await writeRecord(at, '{"version":1,"sta', ['credentials']);
      await writeRecord(at, recordText(url), ['credentials.backup']);
      return toml(url);
    },
  },
  {
    name: 'provisioning secret gone, credentials stored',
    event: 'FL-CONFIG-WARNING',
    message: 'the agent uses its credentials, and cannot provision again',
    online: true,
    make: async (at) => {
      const url = coapOf(await openHealthyServer(at));
      await writeRecord(at, recordText(url));
      return toml(url, { provisioning: 'key = "k"' });
    },
  },
  {
    name: 'credentials of a later version',
    event: 'FL-CREDENTIALS-NEWER',
    message: 'has version 99',
    doctor: 'provisioning',
    doctorText: 'has version 99',
    make: withRecords((url) => recordText(url, { version: 99 })),
  },
  {
    name: 'stored settings of the server torn',
    event: 'FL-REMOTE-SETTINGS-DAMAGED',
    message: 'is truncated or not JSON',
    online: true,
    make: (at) => withRemoteSettings(at, '{"version":1,"val'),
  },
  {
    name: 'stored settings of the server of a later version',
    event: 'FL-REMOTE-SETTINGS-IGNORED',
    message: 'has version 99',
    online: true,
    make: (at) => withRemoteSettings(at, '{"version":99}'),
  },
  {
    name: 'stored token that HTTP cannot carry',
    event: 'FL-TOKEN-UNSUITABLE',
    message: 'contains %',
    doctor: 'token',
    make: async (at) => {
      const url = httpOf(await openHealthyServer(at));
      await writeRecord(at, recordText(url, { token: `${TOKEN}%` }));
      return toml(url);
    },
  },
  {
    name: 'SD card from another board, or cloned',
    event: 'FL-BOARD-CHANGED',
    needs: 'mounts',
    make: async (at) => {
      const url = coapOf(await openSandboxFor(at));
      await writeRecord(at, recordText(url, FOREIGN));
      return { config: toml(url), within: await withNetwork(at) };
    },
    online: true,
  },
  {
    name: 'SD card that may be a copy: a modem of the same kind',
    event: 'FL-BOARD-UNCERTAIN',
    needs: 'mounts',
    make: async (at) => {
      const url = coapOf(await openHealthyServer(at));
      await writeRecord(at, recordText(url, SAME_MODEM));
      return { config: toml(url), within: await withNetwork(at) };
    },
    online: true,
  },
  {
    name: 'credentials of another server',
    event: 'FL-SERVER-CHANGED',
    online: true,
    make: async (at) => {
      await writeRecord(at, recordText('coap://elsewhere.example.com'));
      return toml(coapOf(await openSandboxFor(at)));
    },
  },
];
