/** The dashboards have the form of one that ThingsBoard 4.3.1.3 exported, and fit together. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { isJsonObject, type JsonObject } from '../../../src/core/model/json-object.ts';
import { WIDGET_TYPES } from '../../../src/thingsboard/assets/dashboards/widget.ts';
import { objectOf, textOf } from '../../../src/thingsboard/rest/json-values.ts';
import { dashboards, dataKeysOf, datasourcesOf, GATEWAY_ID, objectsIn, widgetsOf } from './assets-fixture.ts';

type Shape = Readonly<Record<string, { readonly types: readonly string[]; readonly always: boolean }>>;

const shapes = JSON.parse(
  readFileSync('test/fixtures/thingsboard/dashboard-shape-4.3.1.3.json', 'utf8'),
) as Readonly<Record<string, Shape>> & { readonly settings: Readonly<Record<string, Shape>> };

/** Members that the editor adds by itself, or that only some exports have. */
const OPTIONAL = new Set([
  '_hash',
  'id',
  'createdTime',
  'tenantId',
  'name',
  'image',
  'mobileHide',
  'mobileOrder',
  'assignedCustomers',
  'resources',
  'version',
  'externalId',
  'filterId',
]);

/** Members of our object with another type than in the export, and members that are always there but not in ours. */
function deviations(object: JsonObject, shape: Shape, isComplete: boolean): readonly string[] {
  const wrong = Object.entries(object)
    .filter(([name, value]) => shape[name] && value !== null && !shape[name].types.includes(typeOf(value)))
    .filter(([name]) => !shape[name]?.types.every((type) => type === 'null'))
    .map(([name, value]) => `${name} is ${typeOf(value)}`);
  const missing = Object.entries(shape)
    .filter(([name, { always }]) => isComplete && always && !OPTIONAL.has(name) && !(name in object))
    .map(([name]) => `${name} is missing`);
  return [...wrong, ...missing];
}

function typeOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

for (const [name, dashboard] of Object.entries(dashboards)) {
  const configuration = objectOf(dashboard, 'configuration');
  const widgets = widgetsOf(dashboard);
  const states = Object.values(objectOf(configuration, 'states')).filter(isJsonObject);
  const layouts = states.map((state) => objectOf(objectOf(state, 'layouts'), 'main'));

  describe(`the ${name} dashboard`, () => {
    it('has the members of an exported dashboard, in the same types', () => {
      const check = (object: JsonObject, shape: string) =>
        assert.deepEqual(deviations(object, shapes[shape] ?? {}, true), [], shape);
      check(dashboard, 'dashboard');
      check(configuration, 'configuration');
      check(objectOf(configuration, 'settings'), 'dashboardSettings');
      for (const state of states) check(state, 'state');
      for (const layout of layouts) {
        check(layout, 'layout');
        check(objectOf(layout, 'gridSettings'), 'grid');
        for (const place of Object.values(objectOf(layout, 'widgets'))) check(place as JsonObject, 'place');
      }
      for (const alias of Object.values(objectOf(configuration, 'entityAliases')))
        check(alias as JsonObject, 'alias');
    });

    it('has widgets with the members of exported ones, in the same types', () => {
      for (const widget of widgets) {
        const type = textOf(widget, 'typeFullFqn');
        const config = objectOf(widget, 'config');
        const label = `${type} ${textOf(config, 'title')}`;
        assert.deepEqual(deviations(widget, shapes['widget'] ?? {}, true), [], label);
        assert.deepEqual(deviations(config, shapes['config'] ?? {}, true), [], label);
        assert.deepEqual(
          deviations(objectOf(config, 'settings'), shapes.settings[type] ?? {}, false),
          [],
          label,
        );
        for (const key of dataKeysOf(widget))
          assert.deepEqual(deviations(key, shapes['dataKey'] ?? {}, false), [], label);
      }
    });

    it('has only widget types of the bundles of ThingsBoard, each with its kind of data', () => {
      for (const widget of widgets)
        assert.equal(WIDGET_TYPES[widget['typeFullFqn'] as keyof typeof WIDGET_TYPES], widget['type']);
    });

    it('has datasources with an alias and a filter of the dashboard', () => {
      const aliases = objectOf(configuration, 'entityAliases');
      const filters = objectOf(configuration, 'filters');
      for (const widget of widgets) {
        const sources = datasourcesOf(widget);
        assert.ok(sources.length > 0, textOf(widget, 'id'));
        for (const source of sources) {
          const alias = textOf(source, 'entityAliasId') || textOf(source, 'dsEntityAliasId');
          assert.ok(Object.hasOwn(aliases, alias), alias);
          const filter = textOf(source, 'filterId');
          assert.ok(filter === '' || Object.hasOwn(filters, filter), filter);
        }
      }
    });

    it('has each widget in exactly one state, inside the grid and over no other', () => {
      const placed = layouts.flatMap((layout) => Object.keys(objectOf(layout, 'widgets')));
      assert.deepEqual([...placed].sort(), Object.keys(objectOf(configuration, 'widgets')).sort());
      for (const layout of layouts) {
        const taken = new Set<string>();
        for (const place of Object.values(objectOf(layout, 'widgets')) as readonly Record<string, number>[]) {
          const { col = -1, row = -1, sizeX = 0, sizeY = 0 } = place;
          assert.ok(col >= 0 && col + sizeX <= 24 && sizeY > 0);
          for (let x = col; x < col + sizeX; x += 1)
            for (let y = row; y < row + sizeY; y += 1) {
              assert.ok(!taken.has(`${x},${y}`), `two widgets at ${x},${y}`);
              taken.add(`${x},${y}`);
            }
        }
      }
    });

    it('has actions that lead to a state that exists', () => {
      const ids = Object.keys(objectOf(configuration, 'states'));
      const actions = objectsIn(configuration).filter((each) => 'targetDashboardStateId' in each);
      assert.ok(actions.length > 0);
      for (const { type, targetDashboardStateId, targetDashboardId } of actions) {
        const isOther = type === 'openDashboard';
        if (isOther) assert.equal(targetDashboardId, GATEWAY_ID);
        const there = isOther
          ? Object.keys(objectOf(objectOf(dashboards['gateway'] ?? {}, 'configuration'), 'states'))
          : ids;
        assert.ok(there.includes(String(targetDashboardStateId)), String(targetDashboardStateId));
      }
    });

    it('has exactly one root state, "default"', () => {
      const roots = Object.entries(objectOf(configuration, 'states')).filter(
        ([, state]) => (state as JsonObject)['root'],
      );
      assert.deepEqual(
        roots.map(([id]) => id),
        ['default'],
      );
    });

    it('has functions that are valid JavaScript', () => {
      const names: Readonly<Record<string, readonly string[]>> = {
        cellContentFunction: ['value', 'entity', 'ctx'],
        markdownTextFunction: ['data', 'ctx'],
        customFunction: [
          '$event',
          'widgetContext',
          'entityId',
          'entityName',
          'additionalParams',
          'entityLabel',
        ],
        colorFunction: ['data', 'dsData'],
      };
      const bodies = objectsIn(configuration)
        .flatMap(Object.entries)
        .filter(([member]) => Object.hasOwn(names, member));
      assert.ok(bodies.length > 0);
      for (const [member, body] of bodies)
        assert.doesNotThrow(() => new Function(...(names[member] ?? []), body));
    });

    it('is the same at every setup, and fits what ThingsBoard stores', () => {
      const ids = widgets.map((widget) => textOf(widget, 'id'));
      for (const id of ids) assert.match(id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
      assert.ok(JSON.stringify(dashboard).length < 500_000);
    });
  });
}

describe('charts', () => {
  const charts = widgetsOf(dashboards['gateway'] ?? {}).filter(
    ({ typeFullFqn }) => typeFullFqn === 'system.time_series_chart',
  );

  it('carry the last value forward: raw values, drawn as steps from each value to the next', () => {
    const timewindow = objectOf(objectOf(dashboards['gateway'] ?? {}, 'configuration'), 'timewindow');
    assert.equal(objectOf(timewindow, 'aggregation')['type'], 'NONE');
    assert.ok(charts.length >= 6);
    for (const chart of charts) {
      assert.equal(objectOf(chart, 'config')['useDashboardTimewindow'], true);
      for (const key of dataKeysOf(chart)) {
        const settings = objectOf(key, 'settings');
        if (settings['type'] === 'bar') continue;
        const { step, stepType } = objectOf(settings, 'lineSettings');
        assert.deepEqual([step, stepType], [true, 'end'], textOf(key, 'name'));
      }
    }
  });

  it('show CPU, memory, temperature, disk, network and lost readings', () => {
    const names = charts.flatMap(dataKeysOf).map((key) => textOf(key, 'name'));
    for (const name of [
      'cpuUsePercent',
      'memoryUsedPercent',
      'cpuTemperatureC',
      'diskRootUsedPercent',
      'netEth0RxBytesPerS',
      'lostReadings',
    ])
      assert.ok(names.includes(name), name);
  });
});
