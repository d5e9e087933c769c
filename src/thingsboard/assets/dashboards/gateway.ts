/**
 * One gateway: its state in words, commands, charts, alarms, latest values, and its settings, desired beside applied. Opened
 * from the fleet, or by a choice from the table of its first page.
 */

import type { JsonObject } from '../../../core/model/json-object.ts';
import { type AssetSources, GATEWAY_TITLE, Keys, PROFILE_NAME } from '../sources.ts';
import { chart, type Series } from './chart.ts';
import { buildDashboard, COLUMNS, type Placed, type State } from './dashboard.ts';
import { instancesOf, keyGroups } from './groups.ts';
import {
  commandAction,
  latestValuesCard,
  PROBLEM_KEYS,
  STATE_CARD,
  STATE_CARD_KEYS,
  UPDATE_CARD,
  UPDATE_CARD_KEYS,
} from './scripts.ts';
import { settingsPage } from './settings-page.ts';
import { alarmColumns, alarmTable, gatewayTable } from './tables.ts';
import {
  dataKey,
  deviceOfState,
  devicesOfProfile,
  entities,
  frame,
  idFor,
  markdown,
  nameContains,
  placeholder,
  telemetryKey,
  type Widget,
} from './widget.ts';

const GATEWAYS = devicesOfProfile('Gateways', PROFILE_NAME);
const GATEWAY = deviceOfState('Gateway');
const BY_NAME = nameContains('Gateways by name', 'Name contains');

/** The commands that change nothing. */
export const READ_ONLY_COMMANDS: readonly (readonly [method: string, icon: string])[] = [
  ['ping', 'network_ping'],
  ['version', 'info'],
  ['status', 'favorite'],
  ['sample', 'speed'],
  ['doctor', 'healing'],
  ['events', 'list'],
  ['config', 'settings'],
];

export function gatewayDashboard(sources: AssetSources): JsonObject {
  const keys = new Keys(sources);
  const choose = {
    id: idFor('choose the gateway'),
    name: 'Open',
    icon: 'open_in_new',
    type: 'openDashboardState',
    targetDashboardStateId: 'gateway',
    setEntityId: true,
  };
  const states: readonly State[] = [
    {
      id: 'default',
      title: 'Choose a gateway',
      fillsPage: true,
      widgets: [
        {
          widget: gatewayTable('Gateways', GATEWAYS, keys, BY_NAME, [choose], []),
          col: 0,
          row: 0,
          width: COLUMNS,
          height: 12,
        },
      ],
    },
    {
      id: 'gateway',
      title: placeholder('entityName'),
      fillsPage: false,
      widgets: gatewayPage(sources, keys),
    },
    {
      id: 'settings',
      title: `Settings of ${placeholder('entityName')}`,
      fillsPage: false,
      widgets: settingsPage(GATEWAY, sources.settings),
    },
  ];
  return buildDashboard({
    title: GATEWAY_TITLE,
    description: 'One gateway: state, charts, alarms, values, settings and commands.',
    states,
    aliases: [GATEWAYS, GATEWAY],
    filters: [BY_NAME],
  });
}

const CHART_WIDTH = 12;
const CHART_HEIGHT = 6;
const VALUES_WIDTH = 8;
const VALUES_HEIGHT = 7;
const STATE_HEIGHT = 4;

function gatewayPage(sources: AssetSources, keys: Keys): readonly Placed[] {
  const charts = chartsOf(keys);
  const chartsRow = STATE_HEIGHT + 1;
  const alarmsRow = chartsRow + Math.ceil(charts.length / 2) * CHART_HEIGHT;
  const alarmColumnsShown = alarmColumns([
    ['severity', 'Severity'],
    ['type', 'Alarm'],
    ['details.data', 'What to do'],
    ['createdTime', 'Since'],
    ['status', 'Status'],
  ]);
  const groups = keyGroups(sources.sensors);
  return [
    { widget: stateCard(keys), col: 0, row: 0, width: 16, height: STATE_HEIGHT },
    { widget: updateCard(keys), col: 16, row: 0, width: 8, height: STATE_HEIGHT },
    ...buttons(STATE_HEIGHT),
    ...charts.map((widget, index) => ({
      widget,
      col: (index % 2) * CHART_WIDTH,
      row: chartsRow + Math.floor(index / 2) * CHART_HEIGHT,
      width: CHART_WIDTH,
      height: CHART_HEIGHT,
    })),
    {
      widget: alarmTable('Alarms', entities(GATEWAY, alarmColumnsShown)),
      col: 0,
      row: alarmsRow,
      width: COLUMNS,
      height: 6,
    },
    ...groups.map(({ title, keys: names }, index) => ({
      widget: markdown(
        title,
        GATEWAY,
        latestValuesCard(names, keys),
        names.map((name) => telemetryKey(name, keys)),
      ),
      col: (index % 3) * VALUES_WIDTH,
      row: alarmsRow + 6 + Math.floor(index / 3) * VALUES_HEIGHT,
      width: VALUES_WIDTH,
      height: VALUES_HEIGHT,
    })),
  ];
}

function stateCard(keys: Keys): Widget {
  const telemetry = [...new Set([...PROBLEM_KEYS, ...STATE_CARD_KEYS.telemetry])];
  return markdown('State', GATEWAY, STATE_CARD, [
    ...telemetry.map((key) => telemetryKey(key, keys)),
    ...STATE_CARD_KEYS.attributes.map((key) => dataKey(key, 'attribute')),
  ]);
}

function updateCard(keys: Keys): Widget {
  return markdown('Software', GATEWAY, UPDATE_CARD, [
    ...UPDATE_CARD_KEYS.telemetry.map((key) => telemetryKey(key, keys)),
    ...UPDATE_CARD_KEYS.attributes.map((key) => dataKey(key, 'attribute')),
  ]);
}

function buttons(row: number): readonly Placed[] {
  const width = COLUMNS / (READ_ONLY_COMMANDS.length + 1);
  const settings = {
    type: 'openDashboardState',
    targetDashboardStateId: 'settings',
    setEntityId: true,
  };
  const widgets = [
    ...READ_ONLY_COMMANDS.map(([method, icon]) =>
      button(method, icon, { type: 'custom', customFunction: commandAction(method) }),
    ),
    button('Settings', 'tune', settings),
  ];
  return widgets.map((widget, index) => ({ widget, col: index * width, row, width, height: 1 }));
}

function button(label: string, icon: string, action: JsonObject): Widget {
  return {
    name: `Button: ${label}`,
    type: 'system.action_button',
    config: frame(label, {
      showTitle: false,
      backgroundColor: 'rgba(0, 0, 0, 0)',
      padding: '0px',
      dropShadow: false,
      enableFullscreen: false,
      datasources: [entities(GATEWAY, [])],
      settings: {
        appearance: {
          type: 'outlined',
          autoScale: true,
          showLabel: true,
          label,
          showIcon: true,
          icon,
          iconSize: 24,
          iconSizeUnit: 'px',
          mainColor: '#305680',
          backgroundColor: '#ffffff',
          customStyle: { enabled: null, hovered: null, pressed: null, activated: null, disabled: null },
        },
      },
      actions: { click: [{ id: idFor(`click ${label}`), name: label, icon, ...action }] },
    }),
  };
}

function chartsOf(keys: Keys): readonly Widget[] {
  const percent = { min: 0, max: 100 };
  const network = instancesOf('net*RxBytesPerS').flatMap((received) => {
    const name = received.slice('net'.length, -'RxBytesPerS'.length);
    const label = name.toLowerCase();
    return [steps(received, `${label} received`), steps(`net${name}TxBytesPerS`, `${label} sent`)];
  });
  return [
    chart('CPU', GATEWAY, [steps('cpuUsePercent', 'all'), steps('agentCpuPercent', 'agent')], keys, percent),
    chart(
      'Memory',
      GATEWAY,
      [
        steps('memoryUsedPercent', 'memory'),
        steps('swapUsedPercent', 'swap'),
        steps('pressureMemorySomePercent', 'tasks waiting for memory'),
      ],
      keys,
      percent,
    ),
    chart('Temperature', GATEWAY, [steps('cpuTemperatureC', 'CPU')], keys),
    chart(
      'Root file system',
      GATEWAY,
      [steps('diskRootUsedPercent', 'space'), steps('diskRootInodesUsedPercent', 'inodes')],
      keys,
      percent,
    ),
    chart('Network', GATEWAY, network, keys),
    chart(
      'Readings',
      GATEWAY,
      [steps('agentWaitingReadings', 'waiting'), { key: 'lostReadings', label: 'lost', drawn: 'bars' }],
      keys,
    ),
  ];
}

function steps(key: string, label: string): Series {
  return { key, label, drawn: 'steps' };
}
