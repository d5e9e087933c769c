/**
 * Names of chips and zones without the numbers that a driver counts up each time it is loaded or finds a
 * device: a key with such a number would be another one after a restart. Numbers of the hardware stay, such as
 * those of `cpu0-thermal` or `r8169_0_100:00`, a PCI address.
 */

const COUNTS: readonly (readonly [counted: RegExp, name: string])[] = [
  // drivers/net/wireless/intel/iwlwifi, "iwlwifi_%u": one more with each load.
  [/^iwlwifi_\d+$/, 'iwlwifi'],
  // drivers/net/wireless/mediatek/mt76, "mt7915_phy0": the name of the radio, one more with each load.
  [/^((?:mt|ath|rtw|rtl)\d+[a-z]*)_phy\d+/, '$1'],
  // drivers/net/usb, "usb-001:004:03": the device number is one more each time the adapter is plugged in.
  [/^usb_\d{3}:\d{3}(?::[0-9a-f]{2})?$/, 'usb'],
];

/** The name without a count. */
export function stableDriverName(name: string): string {
  return COUNTS.reduce((text, [counted, stable]) => text.replace(counted, stable), name);
}
