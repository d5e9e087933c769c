/** Puts widgets, states, aliases and filters together to a dashboard, as ThingsBoard stores and exports it. */

import type { JsonObject } from '../../../core/model/json-object.ts';
import { type Alias, type Filter, idFor, WIDGET_TYPES, type Widget } from './widget.ts';

/** Columns of the grid. */
export const COLUMNS = 24;

/** A widget on the grid; sizes in cells. */
export interface Placed {
  readonly widget: Widget;
  readonly col: number;
  readonly row: number;
  readonly width: number;
  readonly height: number;
}

export interface State {
  /** `default` is the root. */
  readonly id: string;
  /** May contain `${entityName}`. */
  readonly title: string;
  readonly widgets: readonly Placed[];
  /** Stretches the rows to the height of the window; for a state that fits one page. */
  readonly fillsPage: boolean;
}

export interface DashboardParts {
  readonly title: string;
  readonly description: string;
  readonly states: readonly State[];
  readonly aliases: readonly Alias[];
  readonly filters: readonly Filter[];
}

const HOUR_MS = 3_600_000;
/** Raw values, because readings bring only changes; ThingsBoard's editor allows at most this many. */
const POINTS_MAX = 50_000;

export function buildDashboard({ title, description, states, aliases, filters }: DashboardParts): JsonObject {
  const id = (widget: Widget): string => idFor(`${title}: ${widget.name}`);
  const placed = states.flatMap(({ widgets }) => widgets);
  return {
    title,
    configuration: {
      description,
      widgets: Object.fromEntries(
        placed.map(({ widget, width, height, row, col }) => [
          id(widget),
          {
            typeFullFqn: widget.type,
            type: WIDGET_TYPES[widget.type],
            sizeX: width,
            sizeY: height,
            config: widget.config,
            row,
            col,
            id: id(widget),
          },
        ]),
      ),
      states: Object.fromEntries(states.map((state) => [state.id, stateJson(state, id)])),
      entityAliases: Object.fromEntries(
        aliases.map(({ name, filter }) => [idFor(name), { id: idFor(name), alias: name, filter }]),
      ),
      filters: Object.fromEntries(
        filters.map(({ name, editable, keyFilters }) => [
          idFor(name),
          { id: idFor(name), filter: name, editable, keyFilters },
        ]),
      ),
      timewindow: {
        displayValue: '',
        selectedTab: 0,
        hideAggregation: false,
        hideAggInterval: false,
        realtime: { realtimeType: 0, interval: 1000, timewindowMs: 6 * HOUR_MS },
        aggregation: { type: 'NONE', limit: POINTS_MAX },
      },
      settings: {
        stateControllerId: 'entity',
        showTitle: false,
        showDashboardsSelect: true,
        showEntitiesSelect: true,
        showDashboardTimewindow: true,
        showDashboardExport: true,
        toolbarAlwaysOpen: true,
        showFilters: true,
        hideToolbar: false,
        titleColor: 'rgba(0,0,0,0.870588)',
        showDashboardLogo: false,
        dashboardLogoUrl: null,
        showUpdateDashboardImage: true,
        dashboardCss: '',
      },
    },
  };
}

function stateJson({ id: stateId, title, widgets, fillsPage }: State, id: (widget: Widget) => string) {
  return {
    name: title,
    root: stateId === 'default',
    layouts: {
      main: {
        widgets: Object.fromEntries(
          widgets.map(({ widget, width, height, row, col }, index) => [
            id(widget),
            { sizeX: width, sizeY: height, row, col, mobileOrder: index + 1, mobileHeight: height },
          ]),
        ),
        gridSettings: {
          backgroundColor: '#eeeeee',
          color: 'rgba(0,0,0,0.870588)',
          columns: COLUMNS,
          backgroundSizeMode: '100%',
          autoFillHeight: fillsPage,
          mobileAutoFillHeight: false,
          mobileRowHeight: 70,
          margin: 10,
          outerMargin: true,
          layoutType: 'default',
        },
      },
    },
  };
}
