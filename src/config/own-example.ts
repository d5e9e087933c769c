/**
 * What people read about sensors of their own, made from own-fields.ts so that it cannot fall behind: the end of the example
 * file, and the parts of the manual page.
 */

import type { OwnKind } from '../core/own-sensor.ts';
import { commented } from './commented.ts';
import { type Field, OWN_KINDS, ownFields } from './own-fields.ts';
import { exampleOf, OWN_MAX } from './own-sensors.ts';

export const OWN_ABOUT = [
  'Sensors of your own, each one table; a later file replaces one of the same name. They have no variables.',
  'They are reported in every profile, unless sensors.off names them. One that fails is named in the journal, once, and costs the others nothing.',
].join(' ');

const ABOUT: Readonly<Record<OwnKind, readonly string[]>> = {
  exec: [
    'A program, run at its interval beside the sampling; its last values go into each reading. It prints one JSON object, or lines of key=value, or a number alone: 16 KiB and 32 values at most, which are numbers, true and false, and texts of up to 128 characters.',
    "It gets no shell, no input, and PATH and LANG for an environment; four run at once. Inside the service it may do what the agent may: read what everybody may read, and talk to the network. It writes only to a /tmp of its own and the state directory, sees no devices and no homes, gains no privileges, and runs nothing that lies in /var, /run or /tmp. It is the agent's user, and could read its credentials: name only programs you trust. What it needs beyond that, a drop-in gives (systemctl edit firstlight), such as",
    '  [Service]',
    '  PrivateDevices=no',
    '  DeviceAllow=/dev/i2c-1 rw',
    '  SupplementaryGroups=i2c',
  ],
  file: ['A number in a file, such as a driver makes below /sys: the first one on the first line.'],
  gpio: [
    'A GPIO line, read by gpioget (apt install gpiod). Inside the service it needs a drop-in (systemctl edit firstlight):',
    '  [Service]',
    '  PrivateDevices=no',
    '  DeviceAllow=char-gpiochip rw',
    '  SupplementaryGroups=gpio',
  ],
};

export interface OwnPart {
  readonly kind: OwnKind;
  readonly about: string;
  readonly fields: readonly Field[];
}

export const OWN_PARTS: readonly OwnPart[] = OWN_KINDS.map((kind) => ({
  kind,
  about: [...ABOUT[kind], `At most ${OWN_MAX[kind]} of these.`].join('\n'),
  fields: Object.values(ownFields[kind]),
}));

/** Its bound and what it is without being given. */
export function takes(field: Field): string {
  const must = field.isOptional === undefined && field.default === undefined;
  return `${field.bound}; ${must ? 'must be given' : `default: ${field.default ?? 'none'}`}`;
}

export function renderOwnExample(): string {
  const parts = OWN_PARTS.map(({ kind, about, fields }) => {
    const lines = fields.map(
      (field) => `${commented(`${field.meaning} ${takes(field)}`)}\n#${exampleOf(field)}`,
    );
    return `${commented(about)}\n#[[sensor.${kind}]]\n${lines.join('\n')}\n`;
  });
  return [commented(OWN_ABOUT), '', ...parts].join('\n');
}
