/**
 * The hardware facts of a board with a device tree, read from the kernel and os-release(5) without a process or a library: the
 * facts process costs 180 ms of CPU at each start, in the seconds in which a small board boots.
 */

import { readHostText } from './board.ts';
import { type ChildFacts, osVersion, piFacts } from './facts-child.ts';
import { factText, serialText } from './facts-text.ts';
import { parsePiBoard } from './pi-revision.ts';

/** Undefined for a host without a device tree, or one that does not name its model. `root`: `/`, or a captured host. */
export function readDeviceTreeFacts(root: string): ChildFacts | undefined {
  const hardwareModel = factText(readHostText(root, 'proc/device-tree/model'), 'model ');
  if (hardwareModel === undefined) return undefined;
  const release = parseOsRelease(
    readHostText(root, 'etc/os-release') ?? readHostText(root, 'usr/lib/os-release') ?? '',
  );
  return {
    ...piFacts(parsePiBoard(readHostText(root, 'proc/cpuinfo') ?? '')),
    hardwareModel,
    hardwareSerial: serialText(readHostText(root, 'proc/device-tree/serial-number')),
    osName: factText(release.get('NAME'), 'os '),
    osVersion: osVersion(release.get('VERSION_ID'), release.get('VERSION_CODENAME')),
  };
}

/** `KEY=value` lines; the value may stand in quotes of the shell. */
function parseOsRelease(text: string): ReadonlyMap<string, string> {
  const fields = [...text.matchAll(/^([A-Z_]+)=(?:"([^"\n]*)"|'([^'\n]*)'|([^"'\n]*))$/gm)];
  return new Map(
    fields.map(([, key = '', ...values]) => [key, values.find((value) => value !== undefined) ?? '']),
  );
}
