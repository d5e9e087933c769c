/** The fleet: how many gateways are online, a table of all with their problems in words, their alarms, and a map. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import type { AssetSources } from '../sources.ts';
import { FLEET_TITLE, Keys, PROFILE_NAME } from '../sources.ts';
import { buildDashboard, COLUMNS, type Placed, type State } from './dashboard.ts';
import { map } from './map.ts';
import { GREEN, RED } from './scripts.ts';
import { alarmColumns, alarmTable, gatewayTable } from './tables.ts';
import {
  count,
  devicesOfProfile,
  entities,
  frame,
  idFor,
  isFlag,
  nameContains,
  type Widget,
} from './widget.ts';

const GATEWAYS = devicesOfProfile('Gateways', PROFILE_NAME);
const BY_NAME = nameContains('Gateways by name', 'Name contains');
const ONLINE = isFlag('Online gateways', 'active', true);
const OFFLINE = isFlag('Offline gateways', 'active', false);

/** `gatewayDashboardId`: opened by a click on a row; undefined if there is none. */
export function fleetDashboard(sources: AssetSources, gatewayDashboardId: string | undefined): JsonObject {
  const keys = new Keys(sources);
  const open = openGateway(gatewayDashboardId);
  const table = gatewayTable('Gateways', GATEWAYS, keys, BY_NAME, open, [stateButton('Map', 'map', 'map')]);
  const states: readonly State[] = [
    {
      id: 'default',
      title: 'Firstlight fleet',
      fillsPage: true,
      widgets: [
        ...counts(),
        { widget: table, col: 0, row: 2, width: 15, height: 12 },
        { widget: alarms('Active alarms'), col: 15, row: 2, width: 9, height: 12 },
      ],
    },
    page('offline', 'Offline gateways', gatewayTable('Offline gateways', GATEWAYS, keys, OFFLINE, open, [])),
    page('map', 'Map', map(GATEWAYS, keys, open)),
  ];
  return buildDashboard({
    title: FLEET_TITLE,
    description: 'All gateways with their state, alarms and place.',
    states,
    aliases: [GATEWAYS],
    filters: [BY_NAME, ONLINE, OFFLINE],
  });
}

function page(id: string, title: string, widget: Widget): State {
  return {
    id,
    title,
    fillsPage: true,
    widgets: [{ widget, col: 0, row: 0, width: COLUMNS, height: 12 }],
  };
}

function openGateway(id: string | undefined): readonly JsonObject[] {
  if (id === undefined) return [];
  const action = {
    id: idFor('open the gateway'),
    name: 'Open the gateway',
    icon: 'open_in_new',
    type: 'openDashboard',
    targetDashboardId: id,
    targetDashboardStateId: 'gateway',
    setEntityId: true,
  };
  return [action];
}

function counts(): readonly Placed[] {
  const widgets = [
    countCard('Gateways', 'devices', count('entityCount', GATEWAYS), '#0f62fe'),
    countCard('Online', 'check_circle', count('entityCount', GATEWAYS, ONLINE), GREEN),
    countCard('Offline', 'cloud_off', count('entityCount', GATEWAYS, OFFLINE), RED, 'offline'),
    countCard('Alarms', 'warning', count('alarmCount', GATEWAYS), '#b28600'),
  ];
  const width = COLUMNS / widgets.length;
  return widgets.map((widget, index) => ({ widget, col: index * width, row: 0, width, height: 2 }));
}

/** `state`: opened by a click. */
function countCard(title: string, icon: string, source: JsonObject, colour: string, state?: string): Widget {
  const isAlarms = source['type'] === 'alarmCount';
  const click = {
    id: idFor(`open ${state}`),
    name: 'Show them',
    icon: 'list',
    type: 'openDashboardState',
    targetDashboardStateId: state,
    setEntityId: false,
  };
  return {
    name: `Count: ${title}`,
    type: isAlarms ? 'system.alarm_count' : 'system.entity_count',
    config: frame(title, {
      showTitle: false,
      padding: '0px',
      datasources: [source],
      settings: {
        layout: 'column',
        showLabel: true,
        label: title,
        showIcon: true,
        icon,
        iconBackgroundColor: { type: 'constant', color: colour },
        showChevron: state !== undefined,
      },
      actions: state === undefined ? {} : { cardClick: [click] },
    }),
  };
}

function stateButton(name: string, icon: string, state: string): JsonObject {
  return {
    id: idFor(`button ${name}`),
    name,
    icon,
    type: 'openDashboardState',
    targetDashboardStateId: state,
    setEntityId: false,
  };
}

const ALARM_COLUMNS: readonly (readonly [name: string, label: string])[] = [
  ['severity', 'Severity'],
  ['originator', 'Gateway'],
  ['type', 'Alarm'],
  ['createdTime', 'Since'],
];

function alarms(title: string): Widget {
  return alarmTable(title, entities(GATEWAYS, alarmColumns(ALARM_COLUMNS)));
}
