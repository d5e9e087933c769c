/** Sample values for the pictures of the dashboards: five gateways, their alarms, and six hours of one of them. */

const NOW_MS = Date.UTC(2026, 10, 27, 9, 30);
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Runs `draw` at a fixed time, because the cells of the dashboards say how long ago something was. */
export function withFixedTime(draw) {
  const { now } = Date;
  Date.now = () => NOW_MS;
  try {
    return draw();
  } finally {
    Date.now = now;
  }
}

const HEALTHY = {
  active: 'true',
  agentVersion: '0.1.0',
  lastActivityTime: NOW_MS - 4 * SECOND_MS,
  cpuTemperatureC: 48.7,
  cpuUsePercent: 7.4,
  diskRootUsedPercent: 31.2,
  diskRootReadOnly: 'false',
  memoryUsedPercent: 22.5,
  clockSynchronised: 'true',
  piUnderVoltage: 'false',
  failedUnitCount: 0,
  oomKillCount: 0,
};

export const SAMPLES = [
  {
    ...HEALTHY,
    entityName: 'gw-10000000c0ffee42',
    hardwareModel: 'Raspberry Pi 4 Model B Rev 1.5',
    cpuTemperatureC: 78.4,
    uptimeS: 12 * 86_400,
    load1: 0.31,
    memoryUsedBytes: 608_292_864,
    netEth0RxBytesPerS: 4_812,
    netEth0TxBytesPerS: 2_345,
    netEth0Up: 'true',
    driveMmcblk0WrittenBytes: 48_318_382_080,
    agentWaitingReadings: 0,
    agentLostReadings: 0,
    defaultRouteInterface: 'eth0',
  },
  {
    ...HEALTHY,
    entityName: 'gw-27cb096aaf99',
    diskRootUsedPercent: 93.4,
    lastActivityTime: NOW_MS - 9 * SECOND_MS,
  },
  { ...HEALTHY, entityName: 'gw-3f0c5b7d2a18', piUnderVoltage: 'true', failedUnitCount: 1 },
  { ...HEALTHY, entityName: 'gw-4d8e1c6b9f35', cpuTemperatureC: 41.9 },
  {
    ...HEALTHY,
    entityName: 'gw-5a7b3e9c1d60',
    active: 'false',
    lastActivityTime: NOW_MS - 3 * HOUR_MS,
  },
];

export const ALARMS = [
  ['MAJOR', 'gw-5a7b3e9c1d60', 'Offline', 'No message for 15 minutes. Check power …', '06:45', 'Active'],
  ['MAJOR', 'gw-3f0c5b7d2a18', 'Under-voltage', 'The supply voltage …', '08:12', 'Active'],
  ['WARNING', 'gw-27cb096aaf99', 'Root file system nearly full', 'The root file …', '02:30', 'Active'],
  ['WARNING', 'gw-10000000c0ffee42', 'CPU temperature high', 'The CPU is at 78.4 °C …', '09:21', 'Active'],
];

export const COUNTS = { Gateways: '5', Online: '4', Offline: '1', Alarms: '4' };

/** A curve of `points` values between 0 and 1, the same at each run, which keeps its value for a while. */
export function sampleCurve(index, points) {
  let value = 0.25 + 0.12 * index;
  return Array.from({ length: points }, (_, step) => {
    const moves = (step * 7 + index * 5) % 4 === 0;
    if (moves) value += 0.09 * Math.sin(step * (1.3 + index)) + 0.02 * Math.cos(step);
    value = Math.min(0.9, Math.max(0.06, value));
    return value;
  });
}
