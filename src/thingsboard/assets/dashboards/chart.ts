/**
 * A chart of raw values as steps, or as bars for events. A step goes on at the last value until the next one, because
 * readings bring only the values that changed.
 */

import type { JsonObject } from '../../../core/model/json-object.ts';
import type { Keys } from '../sources.ts';
import { type Alias, COLOURS, entities, frame, telemetryKey, type Widget } from './widget.ts';

export interface Series {
  readonly key: string;
  readonly label: string;
  readonly drawn: 'steps' | 'bars';
}

export interface AxisBounds {
  readonly min?: number;
  readonly max?: number;
}

/** Throws if a key is not in the catalogue. The axis has the unit of the first key. */
export function chart(
  title: string,
  alias: Alias,
  series: readonly Series[],
  keys: Keys,
  bounds: AxisBounds = { min: 0 },
): Widget {
  const [first] = series;
  const units = first ? keys.unit(first.key) : '';
  const dataKeys = series.map(({ key, label, drawn }, index) =>
    telemetryKey(key, keys, {
      label,
      colour: COLOURS[index % COLOURS.length] ?? '',
      settings: drawn === 'bars' ? BARS : STEPS,
    }),
  );
  return {
    name: `Chart: ${title}`,
    type: 'system.time_series_chart',
    config: frame(title, {
      padding: '0px',
      datasources: [entities(alias, dataKeys)],
      settings: {
        showLegend: true,
        legendConfig: {
          direction: 'column',
          position: 'top',
          sortDataKeys: false,
          showMin: true,
          showMax: true,
          showAvg: false,
          showTotal: false,
          showLatest: true,
        },
        thresholds: [],
        dataZoom: true,
        stack: false,
        yAxes: { default: { id: 'default', order: 0, show: true, position: 'left', units, ...bounds } },
        showTooltip: true,
        tooltipTrigger: 'axis',
        padding: '12px',
      },
    }),
  };
}

const STEPS: JsonObject = {
  yAxisId: 'default',
  showInLegend: true,
  type: 'line',
  lineSettings: {
    showLine: true,
    step: true,
    stepType: 'end',
    smooth: false,
    lineWidth: 2,
    showPoints: false,
  },
};

const BARS: JsonObject = { yAxisId: 'default', showInLegend: true, type: 'bar' };
