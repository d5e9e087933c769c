/**
 * Batteries, UPS boards, chargers and mains, as the drivers of the kernel report them, by their names in /sys
 * (`BAT0`), which are stable. Batteries of a mouse or headset (`scope` Device) are left out. Read through the
 * thread pool: a fuel gauge is on I2C, and the firmware of a notebook takes tens of milliseconds.
 */

import type { Value } from '../../core/model/reading.ts';
import { addressOf } from '../devices/address.ts';
import { Discovery } from '../devices/discovery.ts';
import { assignKeyParts, fillKey } from '../devices/keys.ts';
import { readLinkTarget } from '../devices/labels.ts';
import { DevicePoller, type DeviceValue, readLine } from '../devices/poll-devices.ts';
import { isBoardTemperature } from '../devices/register-limits.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { invalidText, parseInteger } from '../files/parse.ts';
import type { CatalogueEntry, Collector, KeyFilter, Unit } from '../runtime/collector.ts';

const SOURCE = 'Documentation/ABI/testing/sysfs-class-power';
const WORD_CHARACTERS_MAX = 32;

interface Property {
  readonly entry: CatalogueEntry;
  readonly file: string;
  /** Converts the trimmed text; undefined for "unknown". */
  readonly value: (text: string, description: string) => Value | undefined;
}

/** A full battery that has aged or was calibrated badly; beyond it is nonsense. */
const CAPACITY_MAX = 110;

const PROPERTIES: readonly Property[] = [
  {
    ...numberProperty(
      'supply*CapacityPercent',
      '%',
      'capacity',
      1,
      [0, 100],
      'charge level of the battery',
      'default',
    ),
    value(text, description) {
      const capacity = parseInteger(text, description);
      return capacity > 100 && capacity <= CAPACITY_MAX ? 100 : capacity;
    },
  },
  textProperty(
    'supply*Status',
    'status',
    'state of the battery: Charging, Discharging, Not charging or Full',
    'default',
  ),
  {
    entry: {
      key: 'supply*Online',
      type: 'flag',
      profile: 'default',
      meaning: 'the supply delivers power',
      source: SOURCE,
    },
    file: 'online',
    value: parseOnline,
  },
  textProperty(
    'supply*Health',
    'health',
    'health of the battery as its charger reports it, such as Good, Overheat or Dead',
    'full',
  ),
  {
    ...numberProperty('supply*TemperatureC', '°C', 'temp', 10, [-100, 200], 'temperature of the battery'),
    value(text, description) {
      const celsius = parseInteger(text, description) / 10;
      return isBoardTemperature(celsius) ? celsius : undefined;
    },
  },
  numberProperty(
    'supply*VoltageV',
    'V',
    'voltage_now',
    1e6,
    [-10_000, 10_000],
    'voltage of the supply or battery',
  ),
  numberProperty(
    'supply*CurrentA',
    'A',
    'current_now',
    1e6,
    [-10_000, 10_000],
    'current of the supply or battery; negative while discharging, with most drivers',
  ),
  numberProperty('supply*PowerW', 'W', 'power_now', 1e6, [-1e6, 1e6], 'power of the supply or battery'),
  numberProperty('supply*EnergyWh', 'Wh', 'energy_now', 1e6, [0, 1e6], 'energy left in the battery'),
  numberProperty('supply*ChargeAh', 'Ah', 'charge_now', 1e6, [0, 1e6], 'charge left in the battery'),
];

export const powerSupply: Collector = {
  name: 'supply',
  catalogue: PROPERTIES.map(({ entry }) => entry),
  notes: [
    'A charge level of 101 to 110 % is sent as 100, because a full battery whose gauge is calibrated badly has it; a higher one is nonsense and is left out.',
    '-273.15 °C (0 K), ±127 °C and ±128 °C are the ends of a register, which a gauge without a sensor returns: no reading.',
  ],
  open(hostFiles, clock, isSelected) {
    const supplies = new Discovery(clock, () => findDeviceValues(hostFiles, isSelected));
    const poller = new DevicePoller(clock, () => supplies.invalidate());
    return () => poller.poll(supplies.current);
  },
};

const FOLDER = 'sys/class/power_supply';
const DEVICE_VALUES_MAX = 64;

function findDeviceValues(hostFiles: HostFiles, isSelected: KeyFilter): readonly DeviceValue[] {
  const supplies = listOptional(hostFiles, FOLDER)
    .toSorted()
    .map((name) => ({
      name,
      path: `${FOLDER}/${name}`,
      address: addressOf(readLinkTarget(hostFiles, `${FOLDER}/${name}/device`)),
    }))
    .filter(({ path }) => !belongsToPeripheral(hostFiles, path));
  return assignKeyParts(supplies)
    .flatMap(({ part, item: { path } }) => {
      const fileNames = new Set(listOptional(hostFiles, path));
      return PROPERTIES.flatMap(({ entry, file, value }): readonly DeviceValue[] => {
        const key = fillKey(entry.key, part);
        if (!fileNames.has(file) || !isSelected(key)) return [];
        const valuePath = `${path}/${file}`;
        return [
          {
            device: path,
            key,
            read: async () => value(await readLine(hostFiles, valuePath), `/${valuePath}`),
          },
        ];
      });
    })
    .slice(0, DEVICE_VALUES_MAX);
}

/** True in doubt: the battery of a mouse must not be reported as that of the gateway. */
function belongsToPeripheral(hostFiles: HostFiles, path: string): boolean {
  try {
    return !['System', 'Unknown'].includes(readOptional(hostFiles, `${path}/scope`) ?? 'Unknown');
  } catch {
    return true;
  }
}

/** 0, 1, or 2 for a programmable supply. */
function parseOnline(text: string, description: string): boolean {
  if (!/^[012]$/.test(text)) throw invalidText(description, text);
  return text !== '0';
}

function numberProperty(
  key: string,
  unit: Unit,
  file: string,
  perUnit: number,
  [min, max]: readonly [number, number],
  meaning: string,
  profile: 'default' | 'full' = 'full',
): Property {
  return {
    entry: { key, type: 'number', profile, unit, min, max, decimals: 3, meaning, source: SOURCE },
    file,
    value: (text, description) => parseInteger(text, description) / perUnit,
  };
}

function textProperty(key: string, file: string, meaning: string, profile: 'default' | 'full'): Property {
  return {
    entry: { key, type: 'text', profile, charactersMax: WORD_CHARACTERS_MAX, meaning, source: SOURCE },
    file,
    value: (text, description) => {
      if (!/^[A-Z][A-Za-z ]*$/.test(text)) throw invalidText(description, text);
      return text === 'Unknown' ? undefined : text;
    },
  };
}
