/** The version of the agent, a constant so that the bundle needs no other file. A test compares it with package.json. */

export const VERSION = '0.1.0';
