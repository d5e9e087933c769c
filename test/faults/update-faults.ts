/** Faults of updates: of the assignment, of its download, of its content, and of the installation by root's part. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackageInput } from '../../src/sandbox/core/packages.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { signUpdate } from '../../src/update/sign-update.ts';
import type { AgentProcess } from '../app/agent-process.ts';
import { UpdateGateway } from '../update/install/update-gateway.ts';
import {
  manifestOf,
  packageFile,
  type TestKey,
  testKey,
  updateOf,
  updateWith,
} from '../update/signed-updates.ts';
import {
  coapOf,
  type Fault,
  type FaultSetup,
  NAME,
  openHealthyServer,
  type Place,
  withMounts,
  withToken,
} from './fault.ts';

type Assigned = Partial<PackageInput>;

/** A gateway on which updates are on: a key of root, and the state directory of the service. */
const MOUNTS = [
  'mount -t tmpfs none /etc',
  'mkdir -p /etc/firstlight/update-keys.d',
  'install -m 644 "$S/../site.pem" /etc/firstlight/update-keys.d/',
  'mount -t tmpfs none /var/lib',
  'ln -s "$S" /var/lib/firstlight',
  'mkdir /var/lib/firstlight-update',
];
/** Newer than the agent of this tree. */
const VERSION = '99.0.0';
const BYTES_MAX = 64_000_000;
const PARTS = [Buffer.from('content')];

const assignPackage = ({ core }: Sandbox, input: Assigned) =>
  core.admin.assignPackage(NAME, 'software', { title: 'firstlight', version: VERSION, ...input });

/** Assigns what `of` makes after the agent is online. `more`: further mounts. */
function assigned(
  of: (key: TestKey) => Assigned,
  {
    more = [],
    after,
    assign = assignPackage,
  }: {
    more?: readonly string[];
    after?: (at: Place, agent: AgentProcess) => Promise<void>;
    assign?: typeof assignPackage;
  } = {},
) {
  return async (at: Place): Promise<FaultSetup> => {
    const sandbox = await openHealthyServer(at);
    const key = testKey();
    await mkdir(at.state, { mode: 0o700 });
    await writeFile(join(at.path, 'site.pem'), key.publicPem);
    return {
      config: withToken(coapOf(sandbox), { more: '[update]\nspread = "0s"' }),
      within: withMounts(at, ...more, ...MOUNTS),
      meanwhile: async (agent) => {
        if (!assign(sandbox, of(key)).ok) throw new Error('the sandbox did not assign the package');
        await after?.(at, agent);
      },
    };
  };
}

const withData = (data: (key: TestKey) => Buffer, more: Assigned = {}) =>
  assigned((key) => ({ data: data(key), ...more }));

const good = (key: TestKey): Buffer => updateOf(VERSION, key.key);

function changed(file: Buffer, position: number): Buffer {
  const copy = Buffer.from(file);
  copy[copy.length - 1 + position] = (copy.at(position - 1) ?? 0) ^ 1;
  return copy;
}

/** The result of root's part on a gateway of the doubles takes the place of the one that systemd would start here. */
function installed(prepare: (gateway: UpdateGateway) => void) {
  return assigned((key) => ({ data: good(key) }), {
    after: async ({ runtime }, agent) => {
      await agent.line('event=FL-UPDATE-INSTALLING');
      const key = testKey();
      const gateway = new UpdateGateway(key, updateOf('0.2.0', key.key));
      gateway.request = await readFile(join(runtime, 'update-request'), 'utf8');
      prepare(gateway);
      await gateway.settle();
      const result = gateway.disk.get(gateway.files.result);
      if (!result) throw new Error('there is no result');
      await writeFile(`/proc/${agent.pid}/root${gateway.files.result}`, result);
    },
  });
}

interface Row extends Pick<Fault, 'isSlow' | 'make'> {
  readonly name: string;
  readonly message: string;
  readonly event?: Fault['event'];
}

const ROWS: readonly Row[] = [
  {
    name: 'assigned software of another program',
    event: 'FL-UPDATE-IGNORED',
    message: 'which is not for this agent',
    make: assigned(() => ({ title: 'plc', data: Buffer.from('x') })),
  },
  {
    name: 'assigned version that no package can have',
    message: 'has no valid form',
    make: assigned(() => ({ version: 'v2', data: Buffer.from('x') })),
  },
  {
    name: 'assigned software at a URL',
    message: 'is only a URL',
    make: assigned(() => ({ url: 'https://downloads.example.com/firstlight' })),
  },
  {
    name: 'assigned software that is too large',
    message: 'the limit is 64',
    make: assigned(() => ({ data: Buffer.alloc(BYTES_MAX + 100_000) })),
  },
  {
    name: 'no space for an update',
    message: 'free some space and assign it again',
    make: assigned((key) => ({ data: good(key) }), {
      more: ['mount -t tmpfs -o size=6m,mode=700 none "$S"'],
    }),
  },
  {
    name: 'assigned package that the server does not have',
    message: 'the server does not send the assigned package',
    isSlow: true,
    make: assigned(() => ({}), {
      assign: ({ core }) => {
        const software = { sw_title: 'firstlight', sw_version: VERSION, sw_size: 1_000 };
        const sums = { sw_checksum: 'ab', sw_checksum_algorithm: 'SHA256' };
        return core.admin.setSharedAttributes(NAME, JSON.stringify({ ...software, ...sums }));
      },
    }),
  },
  {
    name: 'checksum that the agent cannot compute',
    message: 'does not compute MURMUR3_128',
    make: withData(good, { checksumAlgorithm: 'MURMUR3_128', checksum: '00' }),
  },
  {
    name: 'download with another checksum',
    message: 'checksum of the download is not the one of the server',
    make: withData(good, { checksum: '0'.repeat(64) }),
  },
  {
    name: 'assigned file that is no update',
    message: 'the file is not an update of Firstlight',
    make: withData(() => Buffer.from('!<arch>\ndebian-binary')),
  },
  {
    name: 'update signed with an unknown key',
    message: 'no key of this gateway signed the update',
    make: withData(() => good(testKey())),
  },
  {
    name: 'update without a signature',
    message: 'the update has no signature',
    make: withData(() => updateWith(manifestOf(VERSION, PARTS), [], PARTS)),
  },
  {
    name: 'update with a signature that does not fit',
    message: 'does not fit: the update was changed or damaged',
    make: withData((key) => {
      const { length } = packageFile(VERSION).content;
      return changed(good(key), -length - 3);
    }),
  },
  {
    name: 'update with an unknown condition',
    message: 'has the unknown member',
    make: withData((key) => updateWith(manifestOf(VERSION, PARTS, { notBefore: 1 }), [key.key], PARTS)),
  },
  {
    name: 'update that was cut',
    message: 'it was cut or extended',
    make: withData((key) => good(key).subarray(0, -1)),
  },
  {
    name: 'update whose package was changed',
    message: 'is not what the manifest describes',
    make: withData((key) => changed(good(key), 0)),
  },
  {
    name: 'update uploaded under another version',
    message: 'and is assigned as 99.0.0',
    make: withData((key) => updateOf('99.0.1', key.key)),
  },
  {
    name: 'update older than the installed version',
    message: 'is older than the installed',
    make: assigned(({ key }) => ({ version: '0.0.1', data: updateOf('0.0.1', key) })),
  },
  {
    name: 'downgrade that was signed for older versions',
    message: 'can replace version 0.0.2 or earlier',
    make: assigned(({ key }) => {
      const terms = { minimumVersion: '0', allowDowngrade: true, maximumVersion: '0.0.2' };
      const update = signUpdate([packageFile('0.0.1')], terms, [key]);
      if (!update.ok) throw new Error(update.problem);
      return { version: '0.0.1', data: update.value };
    }),
  },
  {
    name: 'update that needs another version first',
    message: 'update to 98.0.0 first',
    make: withData(({ key }) => updateOf(VERSION, key, { minimumVersion: '98.0.0' })),
  },
  {
    name: 'new version that crashes',
    message: 'ended by itself 3 times: see journalctl -u firstlight"',
    make: installed(({ behaviours }) => behaviours.set('0.2.0', 'crashes')),
  },
  {
    name: 'new version that hangs',
    message: 'did not run (activating',
    make: installed(({ behaviours }) => behaviours.set('0.2.0', 'hangs')),
  },
  {
    name: 'new version that does not read its credentials',
    message: 'did not read its credentials',
    make: installed(({ behaviours }) => behaviours.set('0.2.0', 'has no credentials')),
  },
  {
    name: 'new version whose telemetry is refused',
    message: 'delivered no telemetry that the server accepted',
    make: installed(({ behaviours }) => behaviours.set('0.2.0', 'is not accepted')),
  },
  {
    name: 'new version that dpkg does not install',
    message: 'dpkg did not install version 0.2.0: a dependency is missing"',
    make: installed(({ dpkgProblems }) => dpkgProblems.set('0.2.0', 'a dependency is missing')),
  },
  {
    name: 'old version that cannot be installed again',
    message: 'and version 0.1.0 could not be installed again yet (no space)',
    make: installed(({ behaviours, dpkgProblems }) => {
      behaviours.set('0.2.0', 'crashes');
      dpkgProblems.set('0.1.0', 'no space');
    }),
  },
  {
    name: 'package manager that does not end',
    message: 'dpkg could not begin (locked)',
    make: installed((gateway) => {
      gateway.isLockedTimes = 1_000;
    }),
  },
  {
    name: 'version that apt installed during an update',
    message: 'version 0.3.0 was installed by another package manager',
    make: installed((gateway) => {
      gateway.onObserve = () => {
        if (gateway.package.version === '0.2.0') gateway.package = { version: '0.3.0', isWhole: true };
      };
    }),
  },
];

export const UPDATE_FAULTS: readonly Fault[] = ROWS.map((row) => ({
  event: 'FL-UPDATE-FAILED',
  online: true,
  needs: 'mounts',
  ...row,
}));
