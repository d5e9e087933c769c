/** Draws one widget of a dashboard into its box, by its type. An unknown type is an error: the picture would lie. */

import { ALARMS, COUNTS, SAMPLES, sampleCurve } from './dashboard-samples.mjs';
import { element, fitText } from './svg.mjs';

const LINE_PX = 19;
const PADDING_PX = 10;
const TEXT = '#212121';
const DIM = '#757575';

const DRAW = {
  'system.entity_count': drawCount,
  'system.alarm_count': drawCount,
  'system.cards.entities_table': drawEntities,
  'system.alarm_widgets.alarms_table': drawAlarms,
  'system.cards.markdown_card': drawCard,
  'system.time_series_chart': drawChart,
  'system.action_button': drawButton,
};

export function drawWidget({ typeFullFqn, config }, box) {
  const draw = DRAW[typeFullFqn];
  if (!draw) throw new Error(`no picture of a widget of type ${typeFullFqn}`);
  const frame = element('rect', { ...box, rx: 4, fill: '#fff', stroke: '#dcdcdc' });
  const title = config.showTitle
    ? [
        label(
          box.x + PADDING_PX,
          box.y + 22,
          config.settings.entitiesTitle ?? config.settings.alarmsTitle ?? config.title,
          { 'font-size': 15 },
        ),
      ]
    : [];
  const top = config.showTitle ? 34 : 0;
  const inner = { ...box, y: box.y + top, height: box.height - top };
  return [frame, ...title, ...draw(config, inner)];
}

function label(x, y, text, more = {}) {
  return element('text', { x, y, fill: TEXT, ...more }, text);
}

function drawCount({ settings }, { x, y, height }) {
  const middle = y + height / 2;
  return [
    element('rect', {
      x: x + 14,
      y: middle - 20,
      width: 40,
      height: 40,
      rx: 4,
      fill: settings.iconBackgroundColor.color,
    }),
    label(x + 66, middle - 4, settings.label, { fill: DIM }),
    label(x + 66, middle + 18, COUNTS[settings.label], { 'font-size': 20, 'font-weight': 500 }),
  ];
}

function drawEntities({ datasources, settings }, box) {
  const [{ dataKeys }] = datasources;
  const shown = dataKeys.filter((key) => key.settings.defaultColumnVisibility !== 'hidden');
  const columns = [settings.entityNameColumnTitle, ...shown.map((key) => key.settings.customTitle)];
  const rows = SAMPLES.map((entity) => [
    { text: entity.entityName },
    ...shown.map((key) => cellOf(key, entity)),
  ]);
  return drawTable(columns, rows, box, [0.21, 0.31, 0.13, 0.1, 0.09, 0.08, 0.08]);
}

/** The content as the browser shows it: the function of the column, or the value with its unit. */
function cellOf({ label: key, settings, units = '' }, entity) {
  if (!settings.useCellContentFunction) {
    const value = entity[key];
    return { text: value === undefined ? '' : `${value} ${units}`.trim() };
  }
  return plain(new Function('value', 'entity', 'ctx', settings.cellContentFunction)(entity[key], entity, {}));
}

/** Text and colour of a piece of HTML. */
function plain(html) {
  const colour = /color: (#[0-9a-f]{6})/.exec(html)?.[1];
  const text = html
    .replaceAll(/<[^>]+>/g, '')
    .replaceAll(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)));
  return { text, ...(colour && { colour }) };
}

function drawAlarms({ alarmSource }, box) {
  const columns = alarmSource.dataKeys.map((key) => key.label);
  const all = ['Severity', 'Gateway', 'Alarm', 'What to do', 'Since', 'Status'];
  const rows = ALARMS.filter(
    ([, gateway]) => columns.includes('Gateway') || gateway === SAMPLES[0].entityName,
  ).map((alarm) =>
    columns.map((column) => ({
      text: alarm[all.indexOf(column)],
      ...(column === 'Severity' && { colour: alarm[0] === 'MAJOR' ? '#da1e28' : '#b28600' }),
    })),
  );
  const widths = columns.includes('Gateway') ? [0.17, 0.32, 0.4, 0.11] : [0.1, 0.25, 0.45, 0.1, 0.1];
  return drawTable(columns, rows, box, widths);
}

function drawTable(columns, rows, { x, y, width, height }, widths) {
  const left = (index) =>
    x + PADDING_PX + widths.slice(0, index).reduce((sum, each) => sum + each, 0) * (width - 2 * PADDING_PX);
  const room = (index) => widths[index] * (width - 2 * PADDING_PX) - 8;
  const head = columns.map((column, index) =>
    label(left(index), y + 16, fitText(column, room(index), 12), { fill: DIM, 'font-size': 12 }),
  );
  const rowPx = 30;
  const fitting = rows.slice(0, Math.floor((height - 26) / rowPx));
  const body = fitting.flatMap((row, number) => {
    const rowY = y + 26 + number * rowPx;
    return [
      element('line', {
        x1: x + PADDING_PX,
        x2: x + width - PADDING_PX,
        y1: rowY,
        y2: rowY,
        stroke: '#e0e0e0',
      }),
      ...row.map(({ text, colour = TEXT }, index) =>
        label(left(index), rowY + 20, fitText(text, room(index), 12), { fill: colour, 'font-size': 12 }),
      ),
    ];
  });
  return [...head, ...body];
}

/** Runs the function of the card on the first gateway. */
function drawCard({ settings }, { x, y, width, height }) {
  const html = new Function('data', 'ctx', settings.markdownTextFunction)([SAMPLES[0]], {});
  const rows = html.includes('<tr>')
    ? [...html.matchAll(/<tr><td>(.*?)<\/td><td[^>]*>(.*?)<\/td><\/tr>/g)]
    : [];
  const max = Math.floor((height - 4) / LINE_PX);
  if (rows.length > 0)
    return rows
      .slice(0, max)
      .flatMap(([, name, value], index) => [
        label(x + PADDING_PX, y + 14 + index * LINE_PX, fitText(name, width * 0.62)),
        label(x + width - PADDING_PX, y + 14 + index * LINE_PX, plain(value).text, { 'text-anchor': 'end' }),
      ]);
  return html
    .split('<br>')
    .slice(0, max)
    .map((line, index) => {
      const { text, colour = TEXT } = plain(line);
      const isTitle = line.startsWith('<h2');
      return label(x + PADDING_PX, y + 16 + index * LINE_PX, fitText(text, width - 2 * PADDING_PX), {
        fill: colour,
        ...(isTitle && { 'font-size': 17, 'font-weight': 600 }),
      });
    });
}

const POINTS = 48;

/** Steps, as the series are configured: each value goes on until the next one. */
function drawChart({ datasources }, { x, y, width, height }) {
  const [{ dataKeys }] = datasources;
  const shown = dataKeys.slice(0, 3);
  const plot = { x: x + 40, y: y + 26, width: width - 56, height: height - 56 };
  const legend = shown.map((key, index) =>
    label(plot.x + index * (plot.width / 3), y + 10, `● ${fitText(key.label, plot.width / 3 - 20, 11)}`, {
      fill: key.color,
      'font-size': 11,
    }),
  );
  const axes = [
    element('line', { x1: plot.x, x2: plot.x, y1: plot.y, y2: plot.y + plot.height, stroke: '#bdbdbd' }),
    element('line', {
      x1: plot.x,
      x2: plot.x + plot.width,
      y1: plot.y + plot.height,
      y2: plot.y + plot.height,
      stroke: '#bdbdbd',
    }),
    label(plot.x - 6, plot.y + 8, dataKeys[0]?.units ?? '', {
      'text-anchor': 'end',
      fill: DIM,
      'font-size': 11,
    }),
    ...['03:30', '06:30', '09:30'].map((time, index) =>
      label(plot.x + (index * plot.width) / 2, plot.y + plot.height + 15, time, {
        'text-anchor': 'middle',
        fill: DIM,
        'font-size': 11,
      }),
    ),
  ];
  const lines = shown
    .filter((key) => key.settings.type === 'line')
    .map((key, index) =>
      element('polyline', {
        points: steps(sampleCurve(index, POINTS), plot),
        fill: 'none',
        stroke: key.color,
        'stroke-width': 1.6,
      }),
    );
  return [...legend, ...axes, ...lines];
}

function steps(values, { x, y, width, height }) {
  const point = (step, value) => `${round(x + (step * width) / POINTS)},${round(y + (1 - value) * height)}`;
  return values.flatMap((value, step) => [point(step, value), point(step + 1, value)]).join(' ');
}

function round(px) {
  return Math.round(px * 10) / 10;
}

function drawButton({ settings }, { x, y, width, height }) {
  const { label: text, mainColor } = settings.appearance;
  return [
    element('rect', {
      x: x + 1,
      y: y + 1,
      width: width - 2,
      height: height - 2,
      rx: 4,
      fill: '#fff',
      stroke: mainColor,
    }),
    label(x + width / 2, y + height / 2 + 5, text, { 'text-anchor': 'middle', fill: mainColor }),
  ];
}
