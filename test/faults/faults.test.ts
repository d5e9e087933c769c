/** The table of faults, and a few of them brought about, one of each kind; faults.slow.test.ts has all. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EVENTS, splitSentence } from '../../src/core/events/catalogue.ts';
import { FAULTS } from './faults.ts';
import { REMEDY, testFaults } from './named-faults.ts';
import { diagnosis, faultTable } from './table.ts';

const FEW = [
  'wrong provisioning secret',
  'UDP port closed',
  'TCP port closed',
  'certificate of an unknown issuer',
  'unknown key',
  'both credential files torn',
  'sensor program fails',
];

const few = FAULTS.filter(({ name }) => FEW.includes(name));
assert.equal(few.length, FEW.length);
testFaults(few);

describe('the table of faults', () => {
  it('is that of README.md', () => {
    const readme = readFileSync(join(process.cwd(), 'test', 'faults', 'README.md'), 'utf8');
    assert.ok(readme.includes(faultTable()), 'it has drifted: npm run faults');
  });

  it('has at least 40 rows, each with a name of its own', () => {
    assert.ok(FAULTS.length >= 40, `${FAULTS.length}`);
    assert.equal(new Set(FAULTS.map(({ name }) => name)).size, FAULTS.length);
  });

  it('tells for each what a person can do', () => {
    for (const { event } of FAULTS) {
      const { remedy } = splitSentence(EVENTS[event].sentence);
      assert.match(remedy, REMEDY, event);
    }
  });

  it('says why two faults have one diagnosis', () => {
    const observed = new Map<string, string>();
    for (const fault of FAULTS) {
      const earlier = observed.get(diagnosis(fault));
      assert.ok(earlier === undefined || fault.same, `${fault.name} and ${earlier}: ${diagnosis(fault)}`);
      observed.set(diagnosis(fault), fault.name);
    }
  });
});
