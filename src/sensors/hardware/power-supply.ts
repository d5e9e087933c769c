/**
 * Power supplies: batteries, UPS boards, chargers and mains, as far as a driver of the kernel shows them.
 *
 * Known by their names in /sys, which the drivers give and keep (`BAT0`, `max17040-battery`). What belongs to a mouse or a headset
 * (`scope` Device) is not the host's. An empty battery slot has no values. Read through the thread pool: a fuel gauge hangs on
 * I2C, and a notebook's battery is asked by the firmware, which takes tens of milliseconds.
 */

import type { Value } from '../../core/model/reading.ts';
import { addressOf } from '../devices/address.ts';
import { Discovery } from '../devices/discovery.ts';
import { fillKey, tellApart } from '../devices/keys.ts';
import { wayTo } from '../devices/labels.ts';
import { askLine, DeviceRounds, type Probe } from '../devices/poll-devices.ts';
import { NonsenseError } from '../files/errors.ts';
import type { Tree } from '../files/host-files.ts';
import { listIfThere, readIfThere } from '../files/optional-files.ts';
import { integer } from '../files/parse.ts';
import type { CatalogueEntry, Collector, Unit, Wants } from '../runtime/collector.ts';

const SOURCE = 'Documentation/ABI/testing/sysfs-class-power';
const WORD_CHARACTERS_MAX = 32;

interface Property {
  readonly entry: CatalogueEntry;
  /** The first of these files that a supply has. */
  readonly files: readonly string[];
  /** Its text, trimmed, to the value; undefined for "unknown". */
  readonly value: (text: string, what: string) => Value | undefined;
}

const PROPERTIES: readonly Property[] = [
  number('supply*CapacityPercent', '%', ['capacity'], 1, [0, 100], 'charge of a battery', 'default'),
  word('supply*Status', 'status', 'Charging, Discharging, Not charging or Full', 'default'),
  {
    entry: {
      key: 'supply*Online',
      type: 'flag',
      profile: 'default',
      meaning: 'whether the supply delivers power',
      source: SOURCE,
    },
    files: ['online'],
    value: isOnline,
  },
  word(
    'supply*Health',
    'health',
    'what the charger thinks of the battery: Good, Overheat, Dead and others',
    'full',
  ),
  number('supply*TemperatureC', '°C', ['temp'], 10, [-100, 200], 'temperature of a battery'),
  number('supply*VoltageV', 'V', ['voltage_now'], 1e6, [-10_000, 10_000], 'voltage'),
  number(
    'supply*CurrentA',
    'A',
    ['current_now'],
    1e6,
    [-10_000, 10_000],
    'current; most drivers: negative while discharging',
  ),
  number('supply*PowerW', 'W', ['power_now'], 1e6, [-1e6, 1e6], 'power'),
  number('supply*EnergyWh', 'Wh', ['energy_now'], 1e6, [0, 1e6], 'energy left in a battery'),
  number('supply*ChargeAh', 'Ah', ['charge_now'], 1e6, [0, 1e6], 'charge left in a battery'),
];

export const supply: Collector = {
  name: 'supply',
  catalogue: PROPERTIES.map(({ entry }) => entry),
  open(tree, clock, wants) {
    const supplies = new Discovery(clock, () => probesOf(tree, wants));
    const rounds = new DeviceRounds(clock, () => supplies.forget());
    return () => rounds.of(supplies.found);
  },
};

const FOLDER = 'sys/class/power_supply';
const PROBES_MAX = 64;

function probesOf(tree: Tree, wants: Wants): readonly Probe[] {
  const supplies = listIfThere(tree, FOLDER)
    .toSorted()
    .map((name) => ({
      name,
      path: `${FOLDER}/${name}`,
      address: addressOf(wayTo(tree, `${FOLDER}/${name}/device`)),
    }))
    .filter(({ path }) => !isOfAnotherDevice(tree, path));
  return tellApart(supplies)
    .flatMap(({ part, of: { path } }) => {
      const has = new Set(listIfThere(tree, path));
      return PROPERTIES.flatMap(({ entry, files, value }): readonly Probe[] => {
        const file = files.find((each) => has.has(each));
        const key = fillKey(entry.key, part);
        if (file === undefined || !wants(key)) return [];
        const what = `${path}/${file}`;
        return [{ device: path, key, read: async () => value(await askLine(tree, what), `/${what}`) }];
      });
    })
    .slice(0, PROBES_MAX);
}

/** In doubt it is: the battery of a mouse must not be taken for the gateway's. */
function isOfAnotherDevice(tree: Tree, path: string): boolean {
  try {
    return !['System', 'Unknown'].includes(readIfThere(tree, `${path}/scope`) ?? 'Unknown');
  } catch {
    return true;
  }
}

/** 0, 1, or 2 for a supply that can be programmed. */
function isOnline(text: string, what: string): boolean {
  if (!/^[012]$/.test(text)) throw new NonsenseError(`${what} is ${JSON.stringify(text.slice(0, 24))}`);
  return text !== '0';
}

function number(
  key: string,
  unit: Unit,
  files: readonly string[],
  perUnit: number,
  [min, max]: readonly [number, number],
  meaning: string,
  profile: 'default' | 'full' = 'full',
): Property {
  return {
    entry: { key, type: 'number', profile, unit, min, max, decimals: 3, meaning, source: SOURCE },
    files,
    value: (text, what) => integer(text, what) / perUnit,
  };
}

function word(key: string, file: string, meaning: string, profile: 'default' | 'full'): Property {
  return {
    entry: { key, type: 'text', profile, charactersMax: WORD_CHARACTERS_MAX, meaning, source: SOURCE },
    files: [file],
    value: (text, what) => {
      if (!/^[A-Z][A-Za-z ]*$/.test(text))
        throw new NonsenseError(`${what} is ${JSON.stringify(text.slice(0, 24))}`);
      return text === 'Unknown' ? undefined : text;
    },
  };
}
