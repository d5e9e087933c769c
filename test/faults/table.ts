/** The table of test/faults/README.md, as `npm run faults` writes it: what faults.test.ts and faults.slow.test.ts show to be true. */

import { EVENTS, splitSentence } from '../../src/core/events/catalogue.ts';
import type { Fault } from './fault.ts';
import { FAULTS } from './faults.ts';

const HEAD = [
  'fault',
  'event',
  'cause',
  'seen',
  'what to do',
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
  const { name, event, message: says, same, doctor, doctorText: doctorSays, exit, needs } = fault;
  const { cause, remedy } = splitSentence(EVENTS[event].sentence);
  const found = doctorSays === undefined ? doctor : `${doctor}: "${doctorSays}"`;
  return [
    name,
    `\`${event}\``,
    same === undefined ? cause : `${cause} (as above: ${same})`,
    says === undefined ? '–' : `"${says}"`,
    remedy,
    found ?? '–',
    String(statusExit(fault)),
    exit === undefined ? 'runs on' : String(exit),
    needs ?? '–',
  ];
}

/** What `firstlight status` exits with. */
export function statusExit({ exit, event, online }: Fault): number {
  if (exit !== undefined) return 3;
  if (online) return 0;
  return EVENTS[event].level === 'error' ? 2 : 1;
}

/** Two faults with one diagnosis are one to the operator. */
export function diagnosis({ event, message: says, doctorText: doctorSays }: Fault): string {
  return [event, says, doctorSays].join(' | ');
}
