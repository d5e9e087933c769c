/** The tables of both dashboards: gateways with their problems in words, and active alarms. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import type { Keys } from '../sources.ts';
import { AGO_CELL, PROBLEM_KEYS, STATE_CELL } from './scripts.ts';
import { type Alias, dataKey, entities, type Filter, frame, telemetryKey, type Widget } from './widget.ts';

/** Columns of the table besides the state; the other keys are read for the state. */
const SHOWN_KEYS: readonly (readonly [key: string, title: string])[] = [
  ['cpuTemperatureC', 'CPU'],
  ['diskRootUsedPercent', 'Disk'],
  ['memoryUsedPercent', 'Memory'],
];

/** The table of both dashboards. `rowClick`: at most one action. */
export function gatewayTable(
  title: string,
  alias: Alias,
  keys: Keys,
  filter: Filter,
  rowClick: readonly JsonObject[],
  headerButton: readonly JsonObject[],
): Widget {
  const shown = SHOWN_KEYS.map(([key, customTitle]) =>
    telemetryKey(key, keys, { settings: { customTitle, useCellStyleFunction: false } }),
  );
  const isShown = new Set(SHOWN_KEYS.map(([key]) => key));
  const hidden = PROBLEM_KEYS.filter((key) => !isShown.has(key)).map((key) =>
    telemetryKey(key, keys, {
      settings: { defaultColumnVisibility: 'hidden', columnSelectionToDisplay: 'disabled' },
    }),
  );
  const dataKeys = [
    column('active', 'State', STATE_CELL),
    column('lastActivityTime', 'Last seen', AGO_CELL),
    dataKey('agentVersion', 'attribute', { settings: { customTitle: 'Version' } }),
    ...shown,
    ...hidden,
  ];
  return {
    name: `Table: ${title}`,
    type: 'system.cards.entities_table',
    config: frame(title, {
      padding: '4px',
      datasources: [entities(alias, dataKeys, filter)],
      settings: {
        entitiesTitle: title,
        enableSearch: true,
        enableSelectColumnDisplay: true,
        enableStickyHeader: true,
        enableStickyAction: true,
        displayEntityName: true,
        entityNameColumnTitle: 'Gateway',
        displayEntityLabel: false,
        displayEntityType: false,
        displayPagination: true,
        defaultPageSize: 20,
        defaultSortOrder: 'entityName',
        useRowStyleFunction: false,
      },
      actions: {
        ...(rowClick.length > 0 && { rowClick }),
        headerButton,
      },
    }),
  };
}

function column(key: string, customTitle: string, content: string): JsonObject {
  return dataKey(key, 'attribute', {
    settings: {
      customTitle,
      useCellStyleFunction: false,
      useCellContentFunction: true,
      cellContentFunction: content,
    },
  });
}

export function alarmColumns(columns: readonly (readonly [string, string])[]): readonly JsonObject[] {
  return columns.map(([name, label]) => dataKey(name, 'alarm', { label }));
}

/** Active alarms, the most severe first: ThingsBoard sorts the names of severities, which have that order. */
export function alarmTable(title: string, source: JsonObject): Widget {
  return {
    name: `Alarms: ${title}`,
    type: 'system.alarm_widgets.alarms_table',
    config: frame(title, {
      padding: '4px',
      useDashboardTimewindow: false,
      timewindow: {
        selectedTab: 0,
        realtime: { realtimeType: 0, interval: 1000, timewindowMs: 30 * 86_400_000 },
      },
      alarmSource: { ...source, name: 'alarms' },
      alarmsPollingInterval: 5,
      alarmFilterConfig: {
        statusList: ['ACTIVE'],
        severityList: [],
        typeList: [],
        searchPropagatedAlarms: false,
      },
      settings: {
        alarmsTitle: title,
        enableSelection: true,
        enableSearch: true,
        enableFilter: true,
        displayDetails: true,
        allowAcknowledgment: true,
        allowClear: true,
        allowAssign: true,
        displayActivity: true,
        displayPagination: true,
        defaultPageSize: 10,
        defaultSortOrder: 'severity',
        enableSelectColumnDisplay: true,
        enableStickyAction: false,
      },
    }),
  };
}
