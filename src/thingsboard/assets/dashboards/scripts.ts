/**
 * Functions in JavaScript that ThingsBoard runs in the browser: the state of a gateway in words, times and values. Each is
 * the body of a function, and gets only numbers and fixed words into HTML: any other text of a device is escaped.
 */

import { ALARM_RULES, type AlarmRule } from '../alarms/alarm-rules.ts';
import type { Filter } from '../alarms/conditions.ts';
import type { Keys } from '../sources.ts';

export const GREEN = '#198038';
export const RED = '#da1e28';
const AMBER = '#b28600';

/** `v`: the latest values by key. Declares `problems`, a list of words; needs PROBLEM_KEYS. */
const PROBLEMS = [
  'var has = function(x) { return x !== undefined && x !== null && x !== ""; };',
  'var problems = [];',
  ...ALARM_RULES.flatMap(problemLine),
].join('\n');

/** The telemetry keys that `PROBLEMS` reads. */
export const PROBLEM_KEYS: readonly string[] = [
  ...new Set(
    ALARM_RULES.filter(({ words }) => words !== undefined).flatMap((rule) =>
      Object.values(rule.arguments).map(({ key }) => key),
    ),
  ),
];

/** The condition of the least severe level, as a line of JavaScript. */
function problemLine({ words, levels, arguments: named }: AlarmRule): readonly string[] {
  const level = levels.at(-1);
  if (words === undefined || !level) return [];
  const keyOf = (name: string): string => named[name]?.key ?? name;
  const test = level.when.filters
    .map((filter) => filterCode(filter, keyOf(filter.argument)))
    .join(level.when.match === 'all' ? ' && ' : ' || ');
  const text = words
    .split(/\{(\w+)\}/)
    .map((part, index) => (index % 2 === 0 ? JSON.stringify(part) : `Number(v[${quote(keyOf(part))}])`))
    .join(' + ');
  return [`if (${test}) problems.push(${text});`];
}

function filterCode(filter: Filter, key: string): string {
  const value = `v[${quote(key)}]`;
  switch (filter.is) {
    case 'flag':
      return `String(${value}) === "${filter.flag}"`;
    case 'text':
      return `${value} === ${JSON.stringify(filter.text)}`;
    case 'not text':
      return `${value} !== ${JSON.stringify(filter.text)}`;
    case 'silent':
      return 'false';
    default: {
      const operator = { above: '>', below: '<', 'at least': '>=', equal: '===' }[filter.is];
      return `(has(${value}) && Number(${value}) ${operator} ${filter.number})`;
    }
  }
}

function quote(text: string): string {
  return JSON.stringify(text);
}

const ESCAPE =
  'var esc = function(x) { return String(x).replace(/[&<>"\'|*_`$\\[\\]]/g, function(c) { return "&#" + c.charCodeAt(0) + ";"; }); };';

/** `ago(ms)`: 40 s, 5 min, 3 h, 2 d. */
const AGO = [
  'var ago = function(ms) {',
  '  var s = Math.max(0, Math.round((Date.now() - Number(ms)) / 1000));',
  '  if (s < 120) return s + " s";',
  '  if (s < 7200) return Math.round(s / 60) + " min";',
  '  return s < 172800 ? Math.round(s / 3600) + " h" : Math.round(s / 86400) + " d";',
  '};',
].join('\n');

/** Content of a table cell: online, offline, or the problems. Arguments: value, entity, ctx. */
export const STATE_CELL = [
  'var v = entity;',
  PROBLEMS,
  `if (String(value) !== "true") return '<b style="color: ${RED}">offline</b>';`,
  `if (problems.length === 0) return '<span style="color: ${GREEN}">online</span>';`,
  `return '<b style="color: ${AMBER}">online: ' + problems.join(", ") + '</b>';`,
].join('\n');

/** Content of a table cell: how long ago. Arguments: value, entity, ctx. */
export const AGO_CELL = [AGO, 'return Number(value) > 0 ? ago(value) + " ago" : "never";'].join('\n');

/** Markdown of the gateway's state. Arguments: data, ctx. */
export const STATE_CARD = [
  'var v = data[0] || {};',
  ESCAPE,
  AGO,
  PROBLEMS,
  'if (!v.entityName) return "Choose a gateway.";',
  'var lines = [];',
  'var isOnline = String(v.active) === "true";',
  `var colour = !isOnline ? "${RED}" : problems.length > 0 ? "${AMBER}" : "${GREEN}";`,
  'var word = !isOnline ? "Offline" : problems.length > 0 ? "Online, needs attention" : "Online and healthy";',
  'lines.push(\'<h2 style="margin: 0; color: \' + colour + \'">\' + word + "</h2>");',
  'lines.push("<b>" + esc(v.entityName) + "</b>" + (has(v.hardwareModel) ? ", " + esc(v.hardwareModel) : ""));',
  'lines.push("Last message: " + (Number(v.lastActivityTime) > 0 ? ago(v.lastActivityTime) + " ago" : "never") + ".");',
  'if (problems.length > 0) lines.push("Now: " + problems.join(", ") + ".");',
  'if (Number(v.agentWaitingReadings) > 100) lines.push(Number(v.agentWaitingReadings) + " readings wait for delivery.");',
  'if (Number(v.lostReadings) > 0) lines.push("Last loss: " + Number(v.lostReadings) + " readings, " + ago(v["lostReadings|ts"]) + " ago" + (has(v.lostWhy) ? " (" + esc(v.lostWhy) + ")" : "") + ".");',
  'if (has(v.uptimeS)) lines.push("Started " + ago(Date.now() - Number(v.uptimeS) * 1000) + " ago.");',
  'return lines.join("<br>");',
].join('\n');

/** The keys of STATE_CARD besides PROBLEM_KEYS. */
export const STATE_CARD_KEYS = {
  telemetry: ['uptimeS', 'agentWaitingReadings', 'lostReadings', 'lostWhy'],
  attributes: ['active', 'lastActivityTime', 'hardwareModel'],
} as const;

/** Markdown of the software update. Arguments: data, ctx. */
export const UPDATE_CARD = [
  'var v = data[0] || {};',
  ESCAPE,
  'var line = function(label, x) { return x === undefined || x === "" ? "" : "<b>" + label + "</b> " + esc(x) + "<br>"; };',
  'var text = line("Agent", v.agentVersion) + line("Installed", v.current_sw_version) + line("Assigned", v.sw_version)',
  '  + line("State", v.sw_state) + line("Error", v.sw_error);',
  'return text === "" ? "Nothing reported yet." : text;',
].join('\n');

export const UPDATE_CARD_KEYS = {
  telemetry: ['sw_state', 'sw_error', 'current_sw_version'],
  attributes: ['agentVersion', 'sw_version'],
} as const;

/** Markdown of a table of the latest values that the gateway reports. Arguments: data, ctx. */
export function latestValuesCard(names: readonly string[], keys: Keys): string {
  const rows = names.map((name) => [name, keys.unit(name)]);
  return [
    'var v = data[0] || {};',
    ESCAPE,
    `var rows = ${JSON.stringify(rows)};`,
    'var shown = function(x, unit) {',
    '  var n = Number(x);',
    '  if (!isFinite(n) || String(x) === "true" || String(x) === "false" || x === "") return esc(x);',
    '  if (unit !== "B" && unit !== "B/s") return esc(x) + " " + esc(unit);',
    '  var units = ["", "k", "M", "G", "T"], i = 0;',
    '  while (Math.abs(n) >= 1000 && i < 4) { n /= 1000; i += 1; }',
    '  return (i === 0 ? n : n.toFixed(1)) + " " + units[i] + unit;',
    '};',
    'var lines = rows.filter(function(row) { return v[row[0]] !== undefined; }).map(function(row) {',
    '  return "<tr><td>" + row[0] + "</td><td style=\\"text-align: right\\">" + shown(v[row[0]], row[1]) + "</td></tr>";',
    '});',
    'return lines.length === 0 ? "Nothing reported." : "<table style=\\"width: 100%\\">" + lines.join("") + "</table>";',
  ].join('\n');
}

/** Markdown of the settings: desired (shared attribute) beside what the gateway reports. Arguments: data, ctx. */
export function settingsCard(attributes: readonly string[]): string {
  return [
    'var v = data[0] || {};',
    ESCAPE,
    'var applied = v.configApplied;',
    'try { if (typeof applied === "string") applied = JSON.parse(applied); } catch (e) { applied = undefined; }',
    `if (applied === undefined || applied === null || typeof applied !== "object") applied = {};`,
    `var names = ${JSON.stringify(attributes)};`,
    'var cell = function(x) { return x === undefined || x === null || x === "" ? "–" : esc(x); };',
    'var lines = names.map(function(name) {',
    '  var isPending = v[name] !== undefined && v[name] !== "" && String(applied[name]) !== String(v[name]);',
    `  return "<tr" + (isPending ? " style=\\"color: ${AMBER}\\"" : "") + "><td>" + name + "</td><td>" + cell(v[name]) + "</td><td>" + cell(applied[name]) + "</td></tr>";`,
    '});',
    'var problems = v.configProblems;',
    'var text = "<table style=\\"width: 100%; text-align: left\\"><tr><th>Attribute</th><th>Desired</th><th>Applied</th></tr>" + lines.join("") + "</table>";',
    `return problems === undefined || problems === "" || problems === "none" ? text : "<p style=\\"color: ${RED}\\">" + esc(problems) + "</p>" + text;`,
  ].join('\n');
}

/** Sends a command and shows its answer. Arguments: $event, widgetContext, entityId, entityName, … */
export function commandAction(method: string): string {
  return [
    ESCAPE,
    'var service = function(name) { return widgetContext.$scope.$injector.get(widgetContext.servicesMap.get(name)); };',
    'var dialogs = service("dialogs");',
    'if (!entityId) { dialogs.alert("No gateway", "Choose a gateway first.").subscribe(); return; }',
    'var show = function(title, x) {',
    '  var text = typeof x === "string" ? x : JSON.stringify(x, null, 2);',
    '  dialogs.alert(title, "<pre style=\\"white-space: pre-wrap\\">" + esc(text) + "</pre>").subscribe();',
    '};',
    `service("deviceService").sendTwoWayRpcCommand(entityId.id, {method: ${quote(method)}, params: {}, timeout: 15000}).subscribe(`,
    `  function(answer) { show(${quote(method)} + " of " + entityName, answer); },`,
    `  function(error) { show(${quote(method)} + " failed", error.status === 504 || error.status === 409 ? "The gateway does not answer: is it online?" : (error.error && error.error.message) || error.message); }`,
    ');',
  ].join('\n');
}

/** Deletes the shared attributes after a question, so that the settings of the gateway count again. */
export function resetSettingsAction(attributes: readonly string[]): string {
  return [
    'var service = function(name) { return widgetContext.$scope.$injector.get(widgetContext.servicesMap.get(name)); };',
    'if (!entityId) return;',
    'service("dialogs").confirm("Use the settings of the gateway?", "This deletes the shared attributes of its settings.", "No", "Yes").subscribe(function(isConfirmed) {',
    '  if (!isConfirmed) return;',
    `  var keys = ${JSON.stringify(attributes)}.map(function(key) { return {key: key}; });`,
    '  service("attributeService").deleteEntityAttributes(entityId, "SHARED_SCOPE", keys).subscribe(function() { widgetContext.updateAliases(); });',
    '});',
  ].join('\n');
}
