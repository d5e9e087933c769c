/** The table of test/faults/README.md, which `npm run faults` writes; the tests in this folder prove it. */

import { EVENTS, splitSentence } from '../../src/core/events/catalogue.ts';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults.ts';

const HEAD = [
  'fault',
  'event',
  'cause',
  'detail',
  'action',
  'doctor',
  'status exits',
  'agent exits',
  'needs',
];

export function faultTable(): string {
  return [HEAD, HEAD.map(() => '---'), ...FAULTS.map(cells)]
    .map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`)
    .join('');
}

function cells(fault: Fault): readonly string[] {
  const { name, event, message, same, doctor, doctorText, exit, needs } = fault;
  const { cause, remedy } = splitSentence(EVENTS[event].sentence);
  const doctorCell = doctorText === undefined ? doctor : `${doctor}: "${doctorText}"`;
  return [
    name,
    `\`${event}\``,
    same === undefined ? cause : `${cause} (as above: ${same})`,
    message === undefined ? '–' : `"${message}"`,
    remedy,
    doctorCell ?? '–',
    String(statusExit(fault)),
    exit === undefined ? 'keeps running' : String(exit),
    needs ?? '–',
  ];
}

/** The exit code of `firstlight status`. */
export function statusExit({ exit, event, online }: Fault): number {
  if (exit !== undefined) return 3;
  if (online) return 0;
  return EVENTS[event].level === 'error' ? 2 : 1;
}

/** An operator cannot distinguish two faults with one diagnosis. */
export function diagnosis({ event, message, doctorText }: Fault): string {
  return [event, message, doctorText].join(' | ');
}
