/**
 * The time after which ThingsBoard calls a gateway inactive. A device profile has no setting for it: it is a server attribute of
 * each device, in ms. A calculated field of the profile sets it whenever a gateway reports its client attributes, once per start.
 */

import type { JsonObject } from '../../core/model/json-object.ts';

export const INACTIVITY_NAME = 'Inactivity time-out';

/** ThingsBoard checks every minute which devices are inactive. */
export const INACTIVITY_MS_MIN = 60_000;
export const INACTIVITY_MS_MAX = 30 * 86_400_000;

/** A calculated field of type SCRIPT; without the entity that it belongs to. */
export function inactivityField(timeoutMs: number): JsonObject {
  return {
    type: 'SCRIPT',
    name: INACTIVITY_NAME,
    configuration: {
      type: 'SCRIPT',
      arguments: {
        version: { refEntityKey: { key: 'agentVersion', type: 'ATTRIBUTE', scope: 'CLIENT_SCOPE' } },
      },
      expression: `return {"inactivityTimeout": ${timeoutMs}};`,
      output: { type: 'ATTRIBUTES', scope: 'SERVER_SCOPE', strategy: { type: 'RULE_CHAIN' } },
    },
  };
}
