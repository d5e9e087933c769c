/** docs/reference/events.md and the body of firstlight-events(7), from the catalogue of events. */

import { loadEvents } from '../lib/sources.mjs';
import { blocks, escaped, sentence, wrapped } from './markdown.mjs';

const INTRODUCTION = [
  'The agent writes each event to its log with the ID in the field `event`. To find one, run `journalctl -u firstlight --grep event=FL-SERVER-TIMEOUT`. `firstlight status` shows the last ten, each once.',
  'The level shows who has to act. `error`: a person must correct the cause. `warn`: the agent recovers without help. `info`: no action is needed.',
  'A message is a cause and, after the first colon, an action. It is constant; the details are in the other fields of the log line.',
];

const FAILURES = [
  'A failure is an event that ends an attempt to reach the server or to read or save the credentials. The agent tries again with increasing intervals: each interval is random, and its upper limit doubles from the first value to the second.',
];

const GROUPS = [
  ['error', 'Errors', 'A person must correct the cause.'],
  ['warn', 'Warnings', 'The agent recovers without help. Act if a warning persists.'],
  ['info', 'Information', 'No action is needed.'],
];

export async function eventReference() {
  const { events, policies, failureId, splitSentence } = await loadEvents();
  const failures = Object.entries(policies)
    // The agent itself stopped: it is never logged.
    .filter(([reason]) => reason !== 'aborted')
    .map(([reason, { schedule }]) => [failureId(reason), { ...events[failureId(reason)], schedule }]);
  const failureIds = new Set(Object.keys(policies).map(failureId));
  const others = Object.entries(events).filter(([id]) => !failureIds.has(id));
  const section = (entry) => eventSection(entry, splitSentence);
  return blocks([
    INTRODUCTION.map((paragraph) => wrapped(paragraph)),
    '## Failures',
    FAILURES.map((paragraph) => wrapped(paragraph)),
    byId(failures).map(section),
    ...GROUPS.flatMap(([level, title, introduction]) => [
      `## ${title}`,
      introduction,
      byId(others.filter(([, event]) => event.level === level)).map(section),
    ]),
  ]);
}

function eventSection([id, { level, sentence: message, schedule }], splitSentence) {
  const { cause, remedy } = splitSentence(message);
  const facts = [`Level: ${level}.`];
  if (schedule)
    facts.push(`Next attempt: within ${span(schedule.baseMs)}, later within ${span(schedule.capMs)}.`);
  return [
    `### ${id}`,
    wrapped(escaped(sentence(cause))),
    ...(remedy === '' ? [] : [wrapped(`**Action:** ${escaped(sentence(remedy))}`)]),
    facts.join(' '),
  ].join('\n\n');
}

function byId(entries) {
  return entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function span(ms) {
  if (ms >= 3_600_000) return `${ms / 3_600_000} h`;
  return ms >= 60_000 ? `${ms / 60_000} min` : `${ms / 1000} s`;
}
