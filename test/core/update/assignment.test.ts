/** The assigned software, from shared attributes as ThingsBoard sends them. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  AssignedSoftware,
  assignmentProblem,
  isSameAssignment,
} from '../../../src/core/update/assignment.ts';

const values = {
  sw_title: 'firstlight',
  sw_version: '0.2.0',
  sw_size: 1000,
  sw_checksum: 'ABCD',
  sw_checksum_algorithm: 'SHA256',
};
const expected = {
  title: 'firstlight',
  version: '0.2.0',
  bytes: 1000,
  checksum: 'abcd',
  algorithm: 'SHA256',
};

test('an assignment counts when all of its attributes have arrived', () => {
  const software = new AssignedSoftware();
  assert.equal(software.current, undefined);
  const { sw_checksum, ...others } = values;
  assert.equal(software.onAttributes({ is: 'changed', values: others }), true);
  assert.equal(software.current, undefined);
  software.onAttributes({ is: 'changed', values: { sw_checksum, other: 1 } });
  assert.deepEqual(software.current, expected);
});

test('other attributes and repeated ones change nothing', () => {
  const software = new AssignedSoftware();
  software.onAttributes({ is: 'all', values });
  assert.equal(software.onAttributes({ is: 'all', values: { ...values, interval: 5 } }), false);
  assert.equal(software.onAttributes({ is: 'deleted', keys: ['sw_tag', 'sw_url'] }), false);
});

test('a deletion, and all attributes without them, end the assignment', () => {
  const software = new AssignedSoftware();
  software.onAttributes({ is: 'all', values });
  software.onAttributes({ is: 'deleted', keys: ['sw_title'] });
  assert.equal(software.current, undefined);
  software.onAttributes({ is: 'all', values });
  software.onAttributes({ is: 'all', values: {} });
  assert.equal(software.current, undefined);
});

test('values of other types are no assignment', () => {
  for (const change of [
    { sw_title: 5 },
    { sw_size: 0 },
    { sw_size: 1.5 },
    { sw_size: 'x' },
    { sw_checksum: '' },
  ]) {
    const software = new AssignedSoftware();
    software.onAttributes({ is: 'all', values: { ...values, ...change } });
    assert.equal(software.current, undefined, JSON.stringify(change));
  }
});

test('software of another title, form or size is refused with a sentence', () => {
  assert.equal(assignmentProblem(expected, 2000), undefined);
  assert.match(
    assignmentProblem({ ...expected, title: 'plc' }, 2000) ?? '',
    /title "plc", which is not for this agent/,
  );
  assert.match(assignmentProblem({ ...expected, version: 'v1' }, 2000) ?? '', /no valid form/);
  assert.match(assignmentProblem(expected, 999) ?? '', /the limit is 999/);
});

test('software at a URL is refused with a sentence', () => {
  const software = new AssignedSoftware();
  software.onAttributes({
    is: 'all',
    values: { sw_title: 'firstlight', sw_version: '0.2.0', sw_url: 'https://example.com/x' },
  });
  const { current } = software;
  assert.match(current ? (assignmentProblem(current, 2000) ?? '') : '', /upload the update file itself/);
});

test('assignments differ in each of their attributes', () => {
  assert.ok(isSameAssignment(expected, { ...expected }));
  for (const change of [
    { title: 'x' },
    { version: 'x' },
    { bytes: 1 },
    { checksum: 'x' },
    { algorithm: 'x' },
  ])
    assert.ok(!isSameAssignment(expected, { ...expected, ...change }));
});
