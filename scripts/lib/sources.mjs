/**
 * The modules of src/ that scripts use, by subject: the one place that knows where they lie and what they are called there.
 * They are read as compiled, so a build comes first.
 */

import { join } from 'node:path';
import { root } from './prepare.mjs';

const compiled = (path) => import(join(root, 'dist', 'src', path));

/** The table of settings, with the names and the introductions that belong to it. */
export async function loadSettings() {
  const { allSettings } = await compiled('config/schema/settings.js');
  const { pathOf, variableOf } = await compiled('config/schema/setting.js');
  const { TABLES, UNITS } = await compiled('config/example.js');
  return { allSettings, pathOf, variableOf, introductions: TABLES, units: UNITS };
}

/** The fields of custom sensors, one part for each kind. */
export async function loadCustomSensors() {
  const { CUSTOM_SENSORS_INTRO, CUSTOM_SENSOR_SECTIONS } = await compiled('config/example.js');
  const { exampleOf } = await compiled('config/sources/field-reader.js');
  return { introduction: CUSTOM_SENSORS_INTRO, parts: CUSTOM_SENSOR_SECTIONS, exampleOf };
}

/** The fields of [[command.exec]]. */
export async function loadCommandSection() {
  const { COMMAND_SECTION } = await compiled('config/example.js');
  const { exampleOf } = await compiled('config/sources/field-reader.js');
  return { ...COMMAND_SECTION, exampleOf };
}

export async function loadSensors() {
  const { collectors } = await compiled('sensors/catalogue.js');
  return { collectors };
}

/** The names of all client attributes. */
export async function loadAttributeNames() {
  const { readBasicFacts } = await compiled('host/hardware/basic-facts.js');
  const { CHILD_KEYS } = await compiled('host/hardware/facts-child.js');
  return [...new Set([...CHILD_KEYS, ...Object.keys(readBasicFacts('0'))])];
}

/** The catalogue of events, and the policies of the failures among them. */
export async function loadEvents() {
  const { EVENTS, splitSentence, failureEventId } = await compiled('core/events/catalogue.js');
  const { FAILURE_POLICIES } = await compiled('core/failures/policies.js');
  return { events: EVENTS, policies: FAILURE_POLICIES, failureId: failureEventId, splitSentence };
}

export async function loadProgram() {
  const { createProgram } = await compiled('cli/program.js');
  return { createProgram };
}

export async function loadStatusView() {
  const { statusLines } = await compiled('cli/status/view.js');
  const { statusJson } = await compiled('cli/status/json.js');
  const { styleFor } = await compiled('cli/ui/style.js');
  const { VERSION } = await compiled('app/version.js');
  return { statusLines, statusJson, styleFor, version: VERSION };
}

export async function loadNodeFlags() {
  const { NODE_FLAGS } = await compiled('app/node-flags.js');
  return NODE_FLAGS;
}

export async function loadSampler() {
  const { openSensors } = await compiled('sensors/sampler.js');
  const { hostClock } = await compiled('host/clock/clock.js');
  return { openSensors, hostClock };
}

/** What decides when a gateway sends again. */
export async function loadRetryTiming() {
  const { waitBeforeMs } = await compiled('core/failures/backoff.js');
  const { FAILURE_POLICIES } = await compiled('core/failures/policies.js');
  const { retransmissionTiming } = await compiled('transport/coap/retransmission-timing.js');
  const { createRandom } = await compiled('sandbox/core/random.js');
  return { waitBeforeMs, policies: FAILURE_POLICIES, retransmissionTiming, createRandom };
}

/** The dashboards of a setup of ThingsBoard. */
export async function loadDashboards() {
  const { assetSources } = await compiled('cli/thingsboard/asset-sources.js');
  const { fleetDashboard } = await compiled('thingsboard/assets/dashboards/fleet.js');
  const { gatewayDashboard } = await compiled('thingsboard/assets/dashboards/gateway.js');
  const sources = assetSources();
  return { fleet: fleetDashboard(sources, undefined), gateway: gatewayDashboard(sources) };
}
