/** One broken line, field or file costs its own values and no others, and is logged once. */

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CapturedHost, type HostName } from './helpers/captured-host.ts';

const MMC = 'sys/class/mmc_host/mmc0/mmc0:aaaa';
const MOUNTS = 'proc/self/mountinfo';

const CASES: readonly {
  readonly what: string;
  readonly host?: HostName;
  readonly path: string;
  readonly from: string | RegExp;
  readonly to: string;
  /** The keys that are lost. */
  readonly lost: readonly string[];
  readonly sensor: string;
}[] = [
  {
    what: 'the load of a minute',
    path: 'proc/loadavg',
    from: '0.21',
    to: '-0.21',
    lost: ['load1'],
    sensor: 'load',
  },
  {
    what: 'the number of threads',
    path: 'proc/loadavg',
    from: /\d+\/231/,
    to: 'x',
    lost: ['threadCount'],
    sensor: 'load',
  },
  {
    what: 'a line of the pressure of memory',
    path: 'proc/pressure/memory',
    from: /^full .*$/m,
    to: '%',
    lost: ['pressureMemoryFullPercent'],
    sensor: 'pressure',
  },
  {
    what: 'a pressure that is no number',
    path: 'proc/pressure/io',
    from: /some avg10=[\d.]+/,
    to: 'some avg10=nan',
    lost: ['pressureIoSomePercent'],
    sensor: 'pressure',
  },
  {
    what: 'a pressure above 100 %',
    path: 'proc/pressure/cpu',
    from: /some avg10=[\d.]+/,
    to: 'some avg10=101.00',
    lost: ['pressureCpuSomePercent'],
    sensor: 'pressure',
  },
  {
    what: 'the limit of file handles',
    path: 'proc/sys/fs/file-nr',
    from: /\S+$/m,
    to: '-1',
    lost: ['fileHandleUsedPercent'],
    sensor: 'handles',
  },
  {
    what: 'the life of an eMMC',
    host: 'emmc-board',
    path: 'sys/class/mmc_host/mmc0/mmc0:0001/life_time',
    from: /.+/,
    to: '0xff 0x01',
    lost: ['driveMmcblk0LifeUsedPercent'],
    sensor: 'flash',
  },
  {
    what: 'a mount without the separator of its file system',
    path: MOUNTS,
    from: / - vfat .*/,
    to: '',
    lost: [
      'diskBootFirmwareFreeBytes',
      'diskBootFirmwareInodesUsedPercent',
      'diskBootFirmwareReadOnly',
      'diskBootFirmwareUsedBytes',
      'diskBootFirmwareUsedPercent',
    ],
    sensor: 'mounts',
  },
  { what: 'a mount of another kind', path: MOUNTS, from: /^22 28 .*$/m, to: '%', lost: [], sensor: 'mounts' },
];

for (const { what, host = 'raspberry-pi-4', path, from, to, lost, sensor } of CASES) {
  it(`${what} costs ${lost.length === 0 ? 'nothing' : lost.join(', ')}`, async (t) => {
    const [well, broken] = [new CapturedHost(host, t), new CapturedHost(host, t)];
    broken.edit(path, from, to);
    for (let round = 0; round < 2; round += 1) {
      const expected = { ...(await well.sampleAfter(10_000)) };
      const values = await broken.sampleAfter(10_000);
      for (const key of lost) delete expected[key];
      assert.deepEqual(Object.keys(values).toSorted(), Object.keys(expected).toSorted());
    }
    const lines = broken.logger.lines.filter((line) => !line.endsWith(' filesystem'));
    assert.deepEqual(lines, [`warn ${sensor}`]);
  });
}

it('mounts with two blanks or without optional fields are read', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  const disksOf = (values: object) => Object.keys(values).filter((key) => key.startsWith('disk'));
  const well = disksOf(await pi.sampleAfter(0));
  pi.write(
    MOUNTS,
    `${pi.read(MOUNTS)}74 25 0:59 / /mnt/tmpfs rw,relatime shared:38 - tmpfs  rw\n` +
      '75 25 0:60 / /mnt/other rw,relatime - tmpfs tmpfs rw\n',
  );
  assert.deepEqual(disksOf(await pi.sampleAfter(10_000)), well);
  assert.deepEqual(pi.logger.lines, []);
});

it('the name of a card is read beside a register that cannot be read', async (t) => {
  const pi = new CapturedHost('raspberry-pi-4', t);
  pi.write(`${MMC}/pre_eol_info`, '0x09\n');
  const values = await pi.sampleAfter(0);
  assert.equal(values['driveMmcblk0Name'], 'SC32G');
  assert.equal('driveMmcblk0SpareState' in values, false);
  assert.deepEqual(pi.logger.lines, ['warn flash']);
});

for (const [key, path, texts, expected] of [
  ['uptimeS', 'proc/uptime', ['100.5 1', '0.00 0', '120.5 1', '900000.5 1'], [101, undefined, 121, 900001]],
  [
    'oomKillCount',
    'proc/vmstat',
    ['oom_kill 3', 'oom_kill 0', 'oom_kill 3', 'oom_kill 1', 'oom_kill 1', 'oom_kill 4294967000'],
    [3, undefined, 3, undefined, 1, undefined],
  ],
] as const) {
  it(`${key} is absent for one sample if it is lower than before`, async (t) => {
    const pi = new CapturedHost('raspberry-pi-4', t);
    const seen: unknown[] = [];
    for (const text of texts) {
      pi.write(path, `${text}\n`);
      seen.push((await pi.sampleAfter(60_000))[key]);
    }
    assert.deepEqual(seen, expected);
  });
}
