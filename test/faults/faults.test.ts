/** The table of faults, and some real faults; faults.slow.test.ts has all. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EVENTS, splitSentence } from '../../src/core/events/catalogue.ts';
import { FAULTS } from './faults.ts';
import { REMEDY, testFaults } from './named-faults.ts';
import { diagnosis, faultTable } from './table.ts';

const SMOKE_FAULTS = ['UDP port closed', 'certificate of an unknown issuer', 'unknown key'];

const smokeFaults = FAULTS.filter(({ name }) => SMOKE_FAULTS.includes(name));
assert.equal(smokeFaults.length, SMOKE_FAULTS.length);
testFaults(smokeFaults);

describe('the table of faults', () => {
  it('the table of faults is that of README.md', () => {
    const readme = readFileSync(join(process.cwd(), 'test', 'faults', 'README.md'), 'utf8');
    assert.ok(readme.includes(faultTable()), 'it is out of date: run npm run faults');
  });

  it('the table of faults has at least 40 rows with different names', () => {
    assert.ok(FAULTS.length >= 40, `${FAULTS.length}`);
    assert.equal(new Set(FAULTS.map(({ name }) => name)).size, FAULTS.length);
  });

  it('the event of each fault has a remedy', () => {
    for (const { event } of FAULTS) {
      const { remedy } = splitSentence(EVENTS[event].sentence);
      assert.match(remedy, REMEDY, event);
    }
  });

  it('two faults with one diagnosis have a stated reason', () => {
    const firstFaults = new Map<string, string>();
    for (const fault of FAULTS) {
      const earlier = firstFaults.get(diagnosis(fault));
      assert.ok(earlier === undefined || fault.same, `${fault.name} and ${earlier}: ${diagnosis(fault)}`);
      firstFaults.set(diagnosis(fault), fault.name);
    }
  });
});
