/**
 * Pairs each value of the agent with that of a tool, and explains the differences. A new sensor needs one more line here.
 *
 * A pair is judged in this order: equal up to `rounding`; between the agent's values before and after the tools ran; within
 * `within`, for the reason `why`; otherwise UNEXPLAINED.
 */

const MOVED = 'changed while the tools ran, as the next reading shows';

/** The next reading of these covers another time and is not comparable. */
const OVER_TIME = /PerS$|^cpu\d*Use|BusyPercent$/;

export function compared(seen) {
  return [...pairsOf(seen)].flatMap((pair) => {
    const ours = seen.ours[pair.key];
    if (typeof ours !== 'number' || !Number.isFinite(pair.theirs)) return [];
    return [{ ...pair, ours, verdict: verdictOn(ours, seen.later[pair.key], pair) }];
  });
}

function verdictOn(ours, later, { key, theirs, rounding = 0, within = 0, why = '' }) {
  const off = Math.abs(ours - theirs);
  if (off <= rounding + 1e-9) return 'same';
  const [low, high] = [Math.min(ours, later) - rounding, Math.max(ours, later) + rounding];
  if (!OVER_TIME.test(key) && theirs >= low && theirs <= high) return MOVED;
  if (off <= within) return why;
  return `UNEXPLAINED (next reading ${later})`;
}

function* pairsOf(seen) {
  yield* fromTools(seen);
  if (seen.links) yield* fromLinks(seen);
  if (seen.exporter) yield* fromExporter(seen);
  for (const { name, value } of seen.hwmon ?? []) yield* fromHwmon(seen, name, value);
}

/** Memory that the tools use meanwhile. */
const TOOLS_BYTES = 256 * 1024 * 1024;
const TOOLS_WHY = 'the tools of this comparison use memory meanwhile';
const DISK_BYTES = 64 * 1024 * 1024;
const DISK_WHY = 'the host wrote between the two readings';

function* fromTools({ free, df, inodes, vmstat, processes, ours }) {
  if (free) {
    const memory = { tool: 'free -b', within: TOOLS_BYTES, why: TOOLS_WHY };
    yield { key: 'memoryUsedBytes', theirs: free.used, ...memory };
    yield { key: 'memoryAvailableBytes', theirs: free.available, ...memory };
    yield { key: 'memoryTotalBytes', theirs: free.total, tool: 'free -b' };
    const share = (100 * (free.total - free.available)) / free.total;
    yield {
      key: 'memoryUsedPercent',
      theirs: share,
      tool: 'free -b',
      rounding: 0.1,
      within: 1,
      why: TOOLS_WHY,
    };
    yield { key: 'swapUsedBytes', theirs: free.swapUsed, tool: 'free -b' };
  }
  if (df) {
    const disk = { tool: 'df -B1 /', within: DISK_BYTES, why: DISK_WHY };
    yield { key: 'diskRootUsedBytes', theirs: df.used, ...disk };
    yield { key: 'diskRootFreeBytes', theirs: df.available, ...disk };
    yield {
      key: 'diskRootUsedPercent',
      theirs: df.percent,
      tool: 'df /',
      within: 1,
      why: 'df rounds up to whole percent',
    };
  }
  if (inodes) {
    const why = 'df rounds up to whole percent';
    yield { key: 'diskRootInodesUsedPercent', theirs: inodes.percent, tool: 'df -i /', within: 1, why };
  }
  if (vmstat) {
    const theirs = 100 - vmstat.idle - vmstat.wait;
    const why = 'vmstat rounds to whole percent, and started a little earlier';
    yield { key: 'cpuUsePercent', theirs, tool: 'vmstat', rounding: 1, within: 4, why };
  }
  if (processes !== undefined) {
    const why = 'ps counts itself and the other tools';
    yield {
      key: 'processCount',
      theirs: processes,
      tool: 'ps -e',
      within: Math.max(12, 0.1 * ours.processCount),
      why,
    };
  }
}

function* fromLinks({ links, ours }) {
  const WHY = "ip's window is a little longer";
  for (const [name, after] of links.after) {
    const before = links.before.get(name);
    if (before === undefined) continue;
    const seconds = (after.atMs - before.atMs) / 1000;
    const part = partOf(name);
    for (const way of ['rx', 'tx']) {
      const Way = way === 'rx' ? 'Rx' : 'Tx';
      const rate = (field) => (after[way][field] - before[way][field]) / seconds;
      const tool = 'ip -s link';
      const key = `net${part}${Way}BytesPerS`;
      yield {
        key,
        theirs: rate('bytes'),
        tool,
        rounding: 1,
        within: 2_000 + 0.2 * (ours[key] ?? 0),
        why: WHY,
      };
      yield {
        key: `net${part}${Way}PacketsPerS`,
        theirs: rate('packets'),
        tool,
        rounding: 0.1,
        within: 20,
        why: WHY,
      };
      yield { key: `net${part}${Way}ErrorsPerS`, theirs: rate('errors'), tool, rounding: 0.01 };
    }
  }
}

/** Gauges of the exporter. */
const GAUGES = [
  { key: 'load1', metric: 'node_load1' },
  { key: 'load5', metric: 'node_load5' },
  { key: 'load15', metric: 'node_load15' },
  {
    key: 'memoryAvailableBytes',
    metric: 'node_memory_MemAvailable_bytes',
    within: TOOLS_BYTES,
    why: TOOLS_WHY,
  },
  { key: 'memoryTotalBytes', metric: 'node_memory_MemTotal_bytes' },
  { key: 'swapTotalBytes', metric: 'node_memory_SwapTotal_bytes' },
  { key: 'oomKillCount', metric: 'node_vmstat_oom_kill' },
  {
    key: 'fileHandleCount',
    metric: 'node_filefd_allocated',
    within: 300,
    why: 'the tools of this comparison have open files, and the kernel includes its cache of handles',
  },
];

/** Metrics per device or interface; counters are compared as the rate between the two scrapes. */
const BY_DEVICE = [
  {
    metric: 'node_disk_written_bytes_total',
    key: (part) => `drive${part}WrittenBytes`,
    within: DISK_BYTES,
    why: DISK_WHY,
  },
  {
    metric: 'node_disk_written_bytes_total',
    key: (part) => `drive${part}WrittenBytesPerS`,
    rate: 1,
    slack: 1_000_000,
  },
  {
    metric: 'node_disk_read_bytes_total',
    key: (part) => `drive${part}ReadBytesPerS`,
    rate: 1,
    slack: 1_000_000,
  },
  {
    metric: 'node_disk_io_time_seconds_total',
    key: (part) => `drive${part}BusyPercent`,
    rate: 100,
    slack: 3,
    rounding: 0.1,
  },
  { metric: 'node_network_carrier_changes_total', key: (part) => `net${part}CarrierChanges` },
  {
    metric: 'node_network_receive_bytes_total',
    key: (part) => `net${part}RxBytesPerS`,
    rate: 1,
    slack: 2_000,
    rounding: 1,
  },
  {
    metric: 'node_network_transmit_bytes_total',
    key: (part) => `net${part}TxBytesPerS`,
    rate: 1,
    slack: 2_000,
    rounding: 1,
  },
  {
    metric: 'node_network_receive_packets_total',
    key: (part) => `net${part}RxPacketsPerS`,
    rate: 1,
    slack: 20,
    rounding: 0.01,
  },
  {
    metric: 'node_network_transmit_packets_total',
    key: (part) => `net${part}TxPacketsPerS`,
    rate: 1,
    slack: 20,
    rounding: 0.01,
  },
  {
    metric: 'node_network_receive_drop_total',
    key: (part) => `net${part}RxDropsPerS`,
    rate: 1,
    slack: 1,
    rounding: 0.01,
  },
];
const WINDOW_WHY = 'its window is a little longer';

function* fromExporter({ exporter: { before, after }, ours, ourSeconds }) {
  const tool = 'node-exporter';
  for (const { metric, ...pair } of GAUGES) yield { ...pair, tool, theirs: after.get(metric) ?? Number.NaN };
  const swap =
    (after.get('node_memory_SwapTotal_bytes') ?? Number.NaN) -
    (after.get('node_memory_SwapFree_bytes') ?? Number.NaN);
  yield { key: 'swapUsedBytes', theirs: swap, tool };
  const uptime =
    (after.get('node_time_seconds') ?? Number.NaN) - (after.get('node_boot_time_seconds') ?? Number.NaN);
  const whyUptime = 'the exporter uses btime, which the kernel rounds to whole seconds of the wall clock';
  yield { key: 'uptimeS', theirs: uptime, tool, rounding: 0.5, within: 2, why: whyUptime };
  const busy = cpuShare(before, after);
  yield {
    key: 'cpuUsePercent',
    theirs: busy,
    tool,
    rounding: 0.1,
    within: 4,
    why: WINDOW_WHY,
  };
  const size = (what) => after.get(`node_filesystem_${what}_bytes${rootLabels(after)}`) ?? Number.NaN;
  const disk = { tool, within: DISK_BYTES, why: DISK_WHY };
  yield { key: 'diskRootUsedBytes', theirs: size('size') - size('free'), ...disk };
  yield { key: 'diskRootFreeBytes', theirs: size('avail'), ...disk };
  for (const cpu of Object.keys(ours).flatMap((key) => /^cpu(\d+)UsePercent$/.exec(key)?.[1] ?? [])) {
    const theirs = cpuShare(before, after, cpu);
    yield { key: `cpu${cpu}UsePercent`, theirs, tool, rounding: 0.1, within: 6, why: WINDOW_WHY };
  }
  for (const { metric, key, rate, slack, ...pair } of BY_DEVICE) {
    for (const [name, value] of after) {
      if (!name.startsWith(`${metric}{`)) continue;
      const named = key(partOf(/device="([^"]+)"/.exec(name)?.[1] ?? ''));
      const stepped = (rate * (value - (before.get(name) ?? 0))) / ourSeconds;
      if (rate === undefined) yield { ...pair, key: named, theirs: value, tool };
      else
        yield {
          ...pair,
          key: named,
          theirs: stepped,
          tool,
          within: slack + 0.2 * ours[named],
          why: WINDOW_WHY,
        };
    }
  }
}

/** The name of a device as it is in a key: eth0 is Eth0, wan-lte.1 is WanLte1. */
function partOf(name) {
  const parts = name.split(/[^A-Za-z0-9]+/);
  return parts.map((each) => each.charAt(0).toUpperCase() + each.slice(1)).join('');
}

/** The time that one CPU, or all, were neither idle nor waiting for a disk, in percent. */
function cpuShare(before, after, cpu) {
  let [busy, all] = [0, 0];
  for (const [metric, seconds] of after) {
    const [, mode] = /^node_cpu_seconds_total\{.*mode="([a-z]+)"\}$/.exec(metric) ?? [];
    if (mode === undefined || (cpu !== undefined && !metric.includes(`cpu="${cpu}"`))) continue;
    const step = Math.max(0, seconds - (before.get(metric) ?? 0));
    all += step;
    if (mode !== 'idle' && mode !== 'iowait') busy += step;
  }
  return (100 * busy) / all;
}

function rootLabels(metrics) {
  for (const metric of metrics.keys()) {
    if (metric.startsWith('node_filesystem_size_bytes{') && metric.includes('mountpoint="/"')) {
      return metric.slice(metric.indexOf('{'));
    }
  }
  return '';
}

/** lm-sensors uses other names: one of the agent's values must be equal. */
function* fromHwmon({ ours }, name, value) {
  const near = Object.entries(ours).filter(
    ([key, each]) => /C$|V$|W$|Rpm$|A$/.test(key) && Math.abs(each - value) < 0.06,
  );
  const [key] = near[0] ?? [];
  if (key !== undefined) yield { key, theirs: value, tool: `sensors: ${name}`, rounding: 0.06 };
}
