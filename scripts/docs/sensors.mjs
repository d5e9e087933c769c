/** docs/reference/sensors.md, from the catalogue of sensors. */

import { loadAttributeNames, loadSensors } from '../lib/sources.mjs';
import { blocks, bullets, escaped, sentence, table, wrapped } from './markdown.mjs';

const INTRODUCTION = [
  'The agent reads the sensors of the host at each `telemetry.interval` and sends the values as telemetry. A value that cannot be read is absent, never 0. A number outside its range is treated as a fault of the sensor and is absent too. Rates and utilisation cover the time since the previous sample; the first sample has none.',
  'A `*` in a key stands for a name found on the host: `net*RxBytesPerS` becomes `netEth0RxBytesPerS`. The names come from labels, chip names and serial numbers, which do not change when the host restarts.',
  '*Profile* is the smallest value of `sensors.profile` that includes the key: each of `minimal`, `default` and `full` includes the keys of the ones before. `sensors.on` and `sensors.off` select keys, or whole sensors by the names below. See the [configuration reference](configuration.md). `firstlight sample --all` prints all values of this host, and `firstlight sample --explain KEY` shows where a value comes from.',
];

/** Title, and when values are absent beside the general rule, by the name of the sensor. */
const DESCRIPTIONS = {
  cpu: ['CPU utilisation', 'in the first sample, and for a CPU that is offline'],
  load: ['Load average'],
  frequency: ['CPU frequency', 'without frequency scaling, as in most virtual machines'],
  temperature: ['CPU temperature', 'if the host has no thermal zone or hwmon chip for the CPU'],
  throttle: ['CPU throttling', 'on CPUs other than Intel'],
  memory: ['Memory and swap', 'for available and used memory, if the kernel is older than 3.14'],
  pressure: [
    'Pressure (PSI)',
    'if the kernel does not count it; Raspberry Pi OS needs `psi=1` on the kernel command line',
  ],
  oom: ['Out-of-memory kills', 'if the kernel is older than 4.13'],
  filesystem: ['Root file system'],
  mounts: ['Other file systems', 'for a file system that does not respond within 0.75 s'],
  drives: ['Drives', 'for rates, in the first sample of a drive'],
  flash: ['eMMC and SD cards', 'for life and spare blocks, on SD cards and on an eMMC older than version 5'],
  network: ['Network interfaces', 'for rates, in the first sample of an interface'],
  wifi: ['Wi-Fi', 'while not connected, and if the kernel lacks `/proc/net/wireless`'],
  route: ['Default route'],
  addresses: ['IP addresses', 'for a family without a usable address'],
  uptime: ['Uptime'],
  clock: ['Clock', 'for `clockSynchronised`, if `clock.trust` is `system`'],
  watchdog: ['Hardware watchdog', 'if the host has none'],
  processes: ['Processes', 'if the agent cannot see the processes of other users (`hidepid`)'],
  pi: ['Raspberry Pi power and throttling', 'on other boards, and without the driver raspberrypi-hwmon'],
  thermal: ['Thermal zones', 'if two zones of one type cannot be told apart'],
  hwmon: ['Hardware monitoring chips (hwmon)', 'for a channel that is switched off or reports a fault'],
  iio: ['Industrial I/O sensors (IIO)', 'for a channel without a scale'],
  onewire: ['1-Wire thermometers', 'for a thermometer whose measurement fails'],
  supply: ['Batteries and power supplies', 'for an empty battery slot'],
  rtc: [
    'Battery of the real-time clock',
    'if no driver reports its voltage; the Raspberry Pi 5 has one that does',
  ],
  handles: ['File handles'],
  services: ['Failed systemd units', 'without systemd'],
  containers: [
    'Containers',
    'without Docker or Podman, and if the agent may not open the socket of the engine',
  ],
  agent: ['Agent', 'in `firstlight sample`, which is not the agent'],
};

const ATTRIBUTES = {
  architecture: ['CPU architecture, as Node.js names it', 'Node.js'],
  kernel: ['release of the kernel', 'uname(2)'],
  hostname: ['name of the host', 'gethostname(2)'],
  agentVersion: ['version of Firstlight', 'the agent'],
  nodeVersion: ['version of Node.js', 'Node.js'],
  ipAddresses: [
    'up to 6 addresses, those of the default route first, without loopback, link-local and bridges of container engines',
    'getifaddrs(3), /proc/net/route',
  ],
  hardwareModel: ['model of the board', '/proc/device-tree/model, /proc/cpuinfo (Raspberry Pi), DMI'],
  hardwareSerial: ['serial number, with the prefix `SN:`', '/proc/device-tree/serial-number, DMI'],
  hardwareRevision: ['revision of a Raspberry Pi', '/proc/cpuinfo, Revision'],
  hardwareMemory: ['memory fitted to a Raspberry Pi', '/proc/cpuinfo, Revision'],
  hardwareManufacturer: ['manufacturer of a Raspberry Pi', '/proc/cpuinfo, Revision'],
  hardwareProcessor: ['processor of a Raspberry Pi', '/proc/cpuinfo, Revision'],
  osName: ['name of the operating system', '/etc/os-release'],
  osVersion: ['version of the operating system', '/etc/os-release'],
};

const ATTRIBUTES_INTRODUCTION =
  'The agent sends these client attributes once after each start. An attribute that the host does not provide is absent. A value that reads as a number gets a prefix (`SN:0123`, `v13`), because ThingsBoard would store it as a number.';

export async function sensorReference() {
  const { collectors } = await loadSensors();
  return blocks([
    INTRODUCTION.map((paragraph) => wrapped(paragraph)),
    ...collectors.map(sensorSection),
    '## Client attributes',
    wrapped(ATTRIBUTES_INTRODUCTION),
    attributeTable(await loadAttributeNames()),
  ]);
}

function sensorSection({ name, everyMs, notes = [], catalogue }) {
  const [title, absence] = DESCRIPTIONS[name] ?? [`Sensor ${name}`];
  const facts = [
    `Name: \`${name}\`.`,
    ...(everyMs ? [`Read every ${everyMs / 60_000} min.`] : []),
    ...(absence ? [`Absent ${absence}.`] : []),
  ];
  return [
    `## ${title}`,
    wrapped(facts.join(' ')),
    ...(notes.length > 0 ? [bullets(notes)] : []),
    table(
      ['Key', 'Unit', 'Range', 'Profile', 'Description', 'Source'],
      catalogue.map((entry) => [
        `\`${entry.key}\``,
        entry.unit || '–',
        rangeOf(entry),
        entry.profile,
        escaped(sentence(entry.meaning)),
        escaped(entry.source),
      ]),
    ),
  ].join('\n\n');
}

function attributeTable(names) {
  return table(
    ['Key', 'Description', 'Source'],
    names.toSorted().map((name) => {
      const [meaning, source] = ATTRIBUTES[name] ?? missing(name);
      return [`\`${name}\``, sentence(meaning), source];
    }),
  );
}

function missing(name) {
  throw new Error(`the client attribute ${name} is not described: add it to scripts/docs/sensors.mjs`);
}

function rangeOf({ type, min, max, charactersMax }) {
  if (type === 'flag') return 'true, false';
  return type === 'text' ? `up to ${charactersMax} characters` : `${number(min)} to ${number(max)}`;
}

/** Large bounds as powers, so that they can be read. */
function number(value) {
  const size = Math.abs(value);
  if (size < 1e6) return String(value);
  const sign = value < 0 ? '-' : '';
  if (Number.isInteger(Math.log2(size))) return `${sign}2^${Math.log2(size)}`;
  const [digits, power] = size.toExponential().split('e+');
  return `${sign}${digits === '1' ? '' : `${digits} × `}10^${power}`;
}
