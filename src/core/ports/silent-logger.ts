/** A logger that discards everything. */

import type { Logger } from './log.ts';

export const SILENT_LOGGER: Logger = { debug() {}, info() {}, warn() {}, error() {} };
