/**
 * Wear of an eMMC, and identity of SD cards and eMMCs. An eMMC of version 5 or later estimates its used life
 * in tenths; an SD card has no such register. The kernel reads the device only when it is attached, so a
 * round every five minutes accesses no device and misses nothing. An invalid register costs only its own value.
 */

import { keyPart } from '../devices/keys.ts';
import type { HostFiles } from '../files/host-files.ts';
import { listOptional, readOptional } from '../files/optional-files.ts';
import { invalidText } from '../files/parse.ts';
import type { Collector } from '../runtime/collector.ts';
import { PartialRead } from '../runtime/partial-read.ts';

const SOURCE =
  'Documentation/driver-api/mmc/mmc-dev-attrs.rst; drivers/mmc/core/mmc.c; JEDEC JESD84-B51, 7.4.38 to 7.4.40';
const DEVICES_MAX = 8;

export const flash: Collector = {
  name: 'flash',
  catalogue: [
    {
      key: 'drive*LifeUsedPercent',
      type: 'number',
      profile: 'default',
      unit: '%',
      min: 0,
      max: 110,
      decimals: 0,
      meaning:
        'used life of the eMMC, an upper estimate by the eMMC in steps of 10; 110 is beyond its rated life',
      source: SOURCE,
    },
    {
      key: 'drive*SpareState',
      type: 'text',
      profile: 'default',
      charactersMax: 7,
      meaning: 'spare blocks of the eMMC: normal, warning (80 % used) or urgent (90 % used)',
      source: SOURCE,
    },
    text('drive*Name', 6, 'product name of the SD card or eMMC'),
    text('drive*MadeIn', 7, 'month and year of manufacture of the SD card or eMMC, as MM/YYYY'),
    text('drive*Kind', 7, 'type of the device: SD, SDcombo, or MMC for an eMMC'),
  ],
  everyMs: 300_000,
  open: (hostFiles) => () => {
    const read = new PartialRead();
    for (const folder of devices(hostFiles)) {
      read.attempt(folder, () => readState(hostFiles, folder, read));
    }
    return read.result();
  },
};

function text(key: string, charactersMax: number, meaning: string) {
  return { key, type: 'text', profile: 'full', charactersMax, meaning, source: SOURCE } as const;
}

/** `sys/class/mmc_host/mmc0/mmc0:0001` for each card of each host controller. */
function devices(hostFiles: HostFiles): readonly string[] {
  const hosts = listOptional(hostFiles, 'sys/class/mmc_host').filter((name) => /^mmc\d+$/.test(name));
  return hosts
    .toSorted()
    .flatMap((host) => {
      const folder = `sys/class/mmc_host/${host}`;
      const cards = listOptional(hostFiles, folder).filter((name) => name.startsWith(`${host}:`));
      return cards.map((card) => `${folder}/${card}`);
    })
    .slice(0, DEVICES_MAX);
}

/** Adds nothing without a block device: Wi-Fi chips use the same bus. */
function readState(hostFiles: HostFiles, folder: string, read: PartialRead): undefined {
  const [block] = listOptional(hostFiles, `${folder}/block`);
  if (block === undefined) return undefined;
  const key = (name: string) => `drive${keyPart(block)}${name}`;
  const text = (file: string) => readOptional(hostFiles, `${folder}/${file}`);
  read.attemptValue(folder, key('LifeUsedPercent'), () => lifeUsed(text('life_time'), folder));
  read.attemptValue(folder, key('SpareState'), () => spareState(text('pre_eol_info'), folder));
  // ThingsBoard would store a name of digits as a number.
  read.attemptValue(folder, key('Name'), () => matching(text('name'), /^(?=.*[A-Za-z])[ -~]{1,6}$/));
  read.attemptValue(folder, key('MadeIn'), () => matching(text('date'), /^\d{2}\/\d{4}$/));
  read.attemptValue(folder, key('Kind'), () => matching(text('type'), /^(SD|MMC|SDcombo)$/));
  return undefined;
}

/** The text if it matches; the register of a card can hold anything. */
function matching(content: string | undefined, pattern: RegExp): string | undefined {
  return content !== undefined && pattern.test(content) ? content : undefined;
}

/**
 * `0x02 0x01`, one estimate for each kind of memory; the higher one counts. 1 to 10 are upper bounds in
 * tenths, 0 is undefined, 11 is beyond the rated life.
 */
function lifeUsed(life: string | undefined, folder: string): number | undefined {
  if (life === undefined) return undefined;
  const bands = life.split(/\s+/).map((band) => (/^0x[0-9a-f]{2}$/.test(band) ? Number(band) : Number.NaN));
  if (bands.length !== 2 || !bands.every((band) => band >= 0 && band <= 11)) {
    throw invalidText(`/${folder}/life_time`, life);
  }
  const worst = Math.max(...bands);
  return worst === 0 ? undefined : worst * 10;
}

const SPARE_STATES: Readonly<Record<string, string | undefined>> = {
  '0x00': undefined,
  '0x01': 'normal',
  '0x02': 'warning',
  '0x03': 'urgent',
};

function spareState(info: string | undefined, folder: string): string | undefined {
  if (info === undefined) return undefined;
  if (!Object.hasOwn(SPARE_STATES, info)) {
    throw invalidText(`/${folder}/pre_eol_info`, info);
  }
  return SPARE_STATES[info];
}
