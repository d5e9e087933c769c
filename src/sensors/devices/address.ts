/**
 * Where a device is attached, from the way to it in /sys: `0000:01:00.0` on PCI, `3f804000.i2c-0076` on I2C, `nct6775.656` on the
 * board.
 *
 * That is what two identical chips are told apart by, since their numbers (hwmon3, iio:device0, nvme1) are handed out in the
 * order in which drivers happen to load. So are those of I2C buses on a PC; there the controller says which bus it is. Only behind a
 * multiplexer, whose channels have nothing else, does the number count: it follows the order of the channels.
 */

/** Steps on the way that are a class of devices, or numbered in the order of their appearance. */
const NON_ADDRESS_STEPS: readonly RegExp[] = [
  /^(\.\.|devices|virtual|platform|hwmon|iio|nvme|rtc|net|thermal|power_supply|ieee80211|scsi_host|scsi_device)$/,
  /^(hwmon|iio:device|nvme|rtc|phy|host|thermal_zone|i2c-)\d+$/,
  // A SCSI target and its unit, below the port that says more.
  /^(target)?\d+:\d+:\d+(:\d+)?$/,
  // A HID device: bus, vendor, product, and a running number.
  /^[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]{4}$/,
];

const I2C_BUS = /^i2c-(\d+)$/;
const I2C_DEVICE = /^\d+-([0-9a-f]{4})$/;

/** `link` as /sys writes it; '' when it does not say where something is attached. */
export function addressOf(link: string): string {
  const steps = link.split('/').filter((step) => step !== '');
  const last = steps.findLastIndex((step) => !NON_ADDRESS_STEPS.some((pattern) => pattern.test(step)));
  const step = steps[last] ?? '';
  const i2cAddress = I2C_DEVICE.exec(step)?.[1];
  if (i2cAddress === undefined) return step;
  const parentSteps = steps.slice(0, last);
  const buses = parentSteps.flatMap((each) => I2C_BUS.exec(each)?.[1] ?? []);
  const channel = buses.length > 1 ? [buses.at(-1)] : [];
  return [addressOf(parentSteps.join('/')), ...channel, i2cAddress].join('-');
}
