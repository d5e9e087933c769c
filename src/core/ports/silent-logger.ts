/** A logger for what has nobody to log to. */

import type { Logger } from './log.ts';

export const SILENT_LOGGER: Logger = { debug() {}, info() {}, warn() {}, error() {} };
