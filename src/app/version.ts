/**
 * The version of the agent: one constant, held against package.json by a test, so that a bundle needs no file
 * beside it.
 */

export const VERSION = '0.1.0';
