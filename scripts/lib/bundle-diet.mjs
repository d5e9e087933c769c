/**
 * What the bundle leaves out or puts off, and why it may: an esbuild plugin.
 *
 * The agent lives for years in a few megabytes, so whatever `firstlight run` never reaches is not loaded.
 * Every substitute below is the same thing from Node itself, or the same library without the rest of it, or
 * fails with a sentence when it is used after all.
 */

import { builtinModules } from 'node:module';
import { dirname } from 'node:path';

const SEMVER = ['clean', 'eq', 'gt', 'lt', 'lte', 'satisfies'];

/**
 * Module, as imported, to the CommonJS text that takes its place; `from` limits it to what that library
 * imports.
 */
const SUBSTITUTES = [
  // Node's own streams, of which readable-stream is a copy; READABLE_STREAM=disable is its own switch.
  { module: /^readable-stream$/, text: `module.exports = require('node:stream');` },
  {
    module: /^readable-stream\/lib\/_stream_writable\.js$/,
    text: `module.exports = require('node:stream').Writable;`,
  },
  // A validator and version ranges, which conf loads always and uses only when given a schema or migrations.
  // Our store parses its record itself (src/store/record.ts) and gives conf neither.
  { module: /^ajv\/dist\/2020\.js$/, from: /\/conf\//, text: absent(['Ajv2020'], 'a schema for conf') },
  { module: /^ajv-formats$/, from: /\/conf\//, text: absent(['default'], 'a schema for conf') },
  { module: /^semver$/, from: /\/conf\//, text: absent(SEMVER, 'a migration of conf') },
  // The client half of coap. Its front page also loads the server and opens two global sockets.
  {
    module: /^coap$/,
    from: /\/src\/transport\//,
    text: `exports.Agent = require('coap/dist/lib/agent.js').default;
           exports.updateTiming = require('coap/dist/lib/parameters.js').refreshTiming;`,
  },
  // The three questions src/host/facts-child.ts asks, of forty systeminformation answers: half of the text
  // otherwise. A fourth question needs a word here; test/cli/bundle.test.ts compares the answers.
  {
    module: /^systeminformation$/,
    text: `const { system, baseboard } = require('systeminformation/lib/system.js');
           const { osInfo } = require('systeminformation/lib/osinfo.js');
           module.exports = { system, baseboard, osInfo };`,
  },
  { module: /^\.\/network$/, from: /\/systeminformation\//, text: absent(['getMacAddresses'], 'uuid()') },
];

function absent(names, what) {
  const fail = `throw new Error('${what} is not part of the bundle: see scripts/lib/bundle-diet.mjs')`;
  return `module.exports = { ${names.map((name) => `get ${name}() { ${fail}; }`).join(', ')} };`;
}

const BUILTIN = new RegExp(`^(node:)?(${builtinModules.join('|')})$`);

export const diet = {
  name: 'diet',
  setup(build) {
    for (const [index, { module, from = /./ }] of SUBSTITUTES.entries()) {
      build.onResolve({ filter: module }, ({ path, resolveDir, importer, namespace }) => {
        if (namespace !== 'file' || !from.test(importer.replaceAll('\\', '/'))) return undefined;
        return { path, namespace: 'substitute', pluginData: { text: SUBSTITUTES[index].text, resolveDir } };
      });
    }
    build.onLoad({ filter: /.*/, namespace: 'substitute' }, ({ pluginData }) => ({
      contents: pluginData.text,
      loader: 'js',
      resolveDir: pluginData.resolveDir,
    }));
    loadBuiltinsWhenNeeded(build);
  },
};

/**
 * An import of a Node module would stand at the top of the one file, and node:http of the sandbox be loaded
 * by `run`. As CommonJS it stays with the module that imports it, and is loaded with that.
 */
function loadBuiltinsWhenNeeded(build) {
  build.onResolve({ filter: BUILTIN }, ({ path, kind }) => {
    if (kind !== 'import-statement' && kind !== 'dynamic-import') return { path, external: true };
    return { path: path.replace(/^(node:)?/, 'node:'), namespace: 'builtin' };
  });
  build.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
    contents: `module.exports = require('${path}');`,
    loader: 'js',
    resolveDir: dirname(import.meta.dirname),
  }));
}
