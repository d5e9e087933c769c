/** The report of the settings: two client attributes that always fit one datagram. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { attributeOf } from '../../../src/config/schema/setting.ts';
import { remoteSettings } from '../../../src/config/schema/settings.ts';
import { encodeAttributes } from '../../../src/core/delivery/encode.ts';
import { createReport } from '../../../src/core/downlink/settings-report.ts';
import { anyText } from '../../any-text.ts';
import { repetitions } from '../../repetitions.ts';

const NAMES = remoteSettings.map(attributeOf);

describe('createReport', () => {
  it('reports every setting as JSON, and no problem as none', () => {
    const report = createReport(new Map([['logLevel', 'info']]), []);
    assert.deepEqual(report, { configApplied: '{"logLevel":"info"}', configProblems: 'none' });
  });

  it('shortens long values, so that the attribute is never omitted', () => {
    const { configApplied } = createReport(new Map(NAMES.map((name) => [name, 'x'.repeat(4096)])), []);
    const values = Object.entries(JSON.parse(configApplied) as Record<string, string>);
    assert.equal(values.length, NAMES.length);
    for (const [, value] of values) assert.match(value, /^x{10,}…$/);
  });

  it('keeps the first problems whole and counts the others', () => {
    const problems = Array.from({ length: 30 }, (_, index) => `problem ${index} ${'x'.repeat(100)}`);
    const { configProblems } = createReport(new Map(), problems);
    assert.ok(configProblems.startsWith(`${problems[0]} | ${problems[1]} | `));
    assert.match(configProblems, / \| and 2\d more in the log of the gateway$/);
    assert.equal(createReport(new Map(), ['one', 'two']).configProblems, 'one | two');
  });

  it('fits one datagram, whatever the values and problems are', () => {
    const text = anyText({ maxLength: 2000 });
    const values = fc.array(fc.stringMatching(/^[ -~]{0,4096}$/), { minLength: 18, maxLength: 18 });
    fc.assert(
      fc.property(values, fc.array(text, { maxLength: 8 }), (texts, problems) => {
        const effective = new Map(NAMES.map((name, index) => [name, texts[index] ?? '']));
        const { bodies, oversizedKeys } = encodeAttributes({ ...createReport(effective, problems) });
        assert.deepEqual(oversizedKeys, []);
        assert.ok(bodies.length >= 1 && bodies.length <= 2);
      }),
      { numRuns: repetitions(100, 20) },
    );
  });
});
