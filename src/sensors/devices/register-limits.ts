/**
 * Values that a chip answers if it did not measure: the ends of the range of its register. They are in the
 * bounds of a temperature or a fan speed, and would be believed.
 *
 *   0 K       an empty register in kelvins: a drive or a zone of the firmware without a sensor
 *   65535 K   the same register with all bits set
 *   ±127, ±128 °C   a register of 8 or 9 bits of an input that is not wired
 *   65535 rpm   a register of 16 bits with all bits set, which is -1
 */

const ZERO_KELVIN_C = -273.15;
const ALL_BITS_KELVIN_C = 65_535 + ZERO_KELVIN_C;
/** Tenths of kelvins are converted with 273.1, 273.15 or 273.2 (include/linux/units.h). */
const CONVERSION_C = 0.06;
const REGISTER_ENDS_C: ReadonlySet<number> = new Set([-128, -127, 127, 128]);
const ALL_BITS_RPM = 65_535;

/** Whether the temperature is not that of an empty register in kelvins. */
export function isAboveZeroKelvin(celsius: number): boolean {
  return !isNear(celsius, ZERO_KELVIN_C) && !isNear(celsius, ALL_BITS_KELVIN_C);
}

/** Whether the temperature is one that a monitoring chip of a board or drive can measure. */
export function isBoardTemperature(celsius: number): boolean {
  return isAboveZeroKelvin(celsius) && !REGISTER_ENDS_C.has(celsius);
}

/**
 * Below this no drive works; drives that do not measure answer with other values near 0 K as well, such as
 * -216 °C.
 */
const DRIVE_MIN_C = -60;

export function isDriveTemperature(celsius: number): boolean {
  return isBoardTemperature(celsius) && celsius >= DRIVE_MIN_C;
}

export function isFanSpeed(rpm: number): boolean {
  return rpm !== ALL_BITS_RPM;
}

function isNear(celsius: number, end: number): boolean {
  return Math.abs(celsius - end) < CONVERSION_C;
}
