/**
 * Where a device is attached, from its path in /sys: `0000:01:00.0` on PCI, `3f804000.i2c-0076` on I2C,
 * `nct6775.656` on the board. It tells identical chips apart, because their numbers (hwmon3, iio:device0,
 * nvme1) and those of I2C buses depend on the order in which drivers load. Only the numbers of channels of a
 * multiplexer are stable.
 */

/** Path segments that name a class of devices, or that are numbered in the order of discovery. */
const NON_ADDRESS_SEGMENTS: readonly RegExp[] = [
  /^(\.\.|devices|virtual|platform|hwmon|iio|nvme|rtc|net|thermal|power_supply|ieee80211|scsi_host|scsi_device)$/,
  /^(hwmon|iio:device|nvme|rtc|phy|host|thermal_zone|i2c-)\d+$/,
  // The transceiver of a USB adapter: bus, running number, address (drivers/net/usb).
  /^(mdio_bus|usb-\d{3}:\d{3}(:[0-9a-f]{2})?)$/,
  // PLATFORM_DEVID_AUTO, in the order of discovery.
  /\.\d+\.auto$/,
  // A SCSI target and its unit; the port above identifies the device.
  /^(target)?\d+:\d+:\d+(:\d+)?$/,
  // A HID device: bus, vendor, product, and a running number.
  /^[0-9A-F]{4}:[0-9A-F]{4}:[0-9A-F]{4}\.[0-9A-F]{4}$/,
];

const I2C_BUS = /^i2c-(\d+)$/;
const I2C_DEVICE = /^\d+-([0-9a-f]{4})$/;

/** `link` as written in /sys; '' if it has no segment that identifies the device. */
export function addressOf(link: string): string {
  const segments = link.split('/').filter((segment) => segment !== '');
  const last = segments.findLastIndex(
    (segment) => !NON_ADDRESS_SEGMENTS.some((pattern) => pattern.test(segment)),
  );
  const address = segments[last] ?? '';
  const i2cAddress = I2C_DEVICE.exec(address)?.[1];
  if (i2cAddress === undefined) return address;
  const parents = segments.slice(0, last);
  const buses = parents.flatMap((each) => I2C_BUS.exec(each)?.[1] ?? []);
  const channel = buses.length > 1 ? [buses.at(-1)] : [];
  return [addressOf(parents.join('/')), ...channel, i2cAddress].join('-');
}
