/**
 * docs/images/thingsboard-*.svg: the dashboards that a setup makes, drawn from their JSON: the layout, the titles and the labels are
 * theirs, and their own functions turn sample values into cells and cards. Not a screenshot: fonts and icons differ.
 */

import { loadDashboards } from '../lib/sources.mjs';
import { SAMPLES, withFixedTime } from './dashboard-samples.mjs';
import { drawWidget } from './dashboard-widgets.mjs';
import { element, xml } from './svg.mjs';

const CELL_PX = 46;
const GAP_PX = 8;
const COLUMNS = 24;
const TITLE_PX = 34;

/** The picture of one state of each dashboard. */
export async function dashboardPictures() {
  const { fleet, gateway } = await loadDashboards();
  return {
    'docs/images/thingsboard-fleet.svg': drawState(fleet, 'default', 'The dashboard Firstlight fleet'),
    'docs/images/thingsboard-gateway.svg': drawState(gateway, 'gateway', 'The dashboard Firstlight gateway'),
  };
}

function drawState({ configuration }, stateId, label) {
  const { layouts, name } = configuration.states[stateId];
  const places = Object.entries(layouts.main.widgets);
  const rows = Math.max(...places.map(([, { row, sizeY }]) => row + sizeY));
  const width = COLUMNS * CELL_PX + GAP_PX;
  const height = TITLE_PX + rows * CELL_PX + GAP_PX;
  const title = name.replace(/\$\{entityName\}/, SAMPLES[0].entityName);
  const widgets = withFixedTime(() =>
    places.flatMap(([id, { row, col, sizeX, sizeY }]) => {
      const box = {
        x: GAP_PX + col * CELL_PX,
        y: TITLE_PX + row * CELL_PX,
        width: sizeX * CELL_PX - GAP_PX,
        height: sizeY * CELL_PX - GAP_PX,
      };
      return drawWidget(configuration.widgets[id], box);
    }),
  );
  return `${[
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${xml(label)}" font-family="Roboto, Arial, sans-serif" font-size="13">`,
    element('rect', { width, height, fill: '#eeeeee' }),
    element('text', { x: GAP_PX + 4, y: 23, 'font-size': 17, fill: '#305680' }, title),
    ...widgets,
    '</svg>',
  ].join('\n')}\n`;
}
