/**
 * Removes from the bundle what `firstlight run` never reaches: an esbuild plugin.
 *
 * The agent runs for years in little memory. Each substitute below is the same function of Node, the same library without the
 * unused rest, or an error that explains itself when the missing part is used.
 */

import { builtinModules } from 'node:module';
import { relative } from 'node:path';

const BUILTIN = new RegExp(`^(node:)?(${builtinModules.join('|')})$`);
const SEMVER = ['clean', 'eq', 'gt', 'lt', 'lte', 'satisfies'];

/** The module as imported, and the CommonJS text that replaces it; `from` limits this to imports of one library. */
const SUBSTITUTES = [
  // Node's own streams, of which readable-stream is a copy; READABLE_STREAM=disable is its own switch.
  { module: /^readable-stream$/, text: `module.exports = require('node:stream');` },
  {
    module: /^readable-stream\/lib\/_stream_writable\.js$/,
    text: `module.exports = require('node:stream').Writable;`,
  },
  // The parts of winston in use. Its index also creates a logger and loads every colour.
  {
    module: /^winston$/,
    from: /\/src\/host\//,
    text: `exports.createLogger = require('winston/lib/winston/create-logger.js');
           exports.transports = { Stream: require('winston/lib/winston/transports/stream.js') };
           exports.format = { printf: require('logform/printf.js') };`,
  },
  // It would store the colours of the levels.
  { module: /^logform$/, from: /\/winston\//, text: 'exports.levels = (levels) => levels;' },
  {
    module: /^logform\/json$/,
    from: /\/winston\//,
    text: `module.exports = () => { ${failure('a logger without a format')} };`,
  },
  // conf uses deepEqual only, for two JSON objects.
  {
    module: /^node:assert$/,
    from: /\/conf\//,
    text: `const { isDeepStrictEqual } = require('node:util');
           exports.deepEqual = (a, b) => { if (!isDeepStrictEqual(a, b)) throw new Error('not equal'); };`,
  },
  // A validator and version ranges, which conf always loads but uses only with a schema or migrations. The store parses its
  // record itself and passes neither.
  { module: /^ajv\/dist\/2020\.js$/, from: /\/conf\//, text: absent(['Ajv2020'], 'a schema for conf') },
  { module: /^ajv-formats$/, from: /\/conf\//, text: absent(['default'], 'a schema for conf') },
  { module: /^semver$/, from: /\/conf\//, text: absent(SEMVER, 'a migration of conf') },
  // The client of coap. Its index also loads the server and opens two global sockets.
  {
    module: /^coap$/,
    from: /\/src\/transport\//,
    text: `exports.Agent = require('coap/dist/lib/agent.js').default;
           exports.updateTiming = require('coap/dist/lib/parameters.js').refreshTiming;`,
  },
  // The three functions in use, of forty; all of them would be half of the bundle. A fourth must be added here;
  // test/cli/bundle.test.ts compares the results.
  {
    module: /^systeminformation$/,
    text: `const { system, baseboard } = require('systeminformation/lib/system.js');
           const { osInfo } = require('systeminformation/lib/osinfo.js');
           module.exports = { system, baseboard, osInfo };`,
  },
  { module: /^\.\/network$/, from: /\/systeminformation\//, text: absent(['getMacAddresses'], 'uuid()') },
];

function absent(names, what) {
  return `module.exports = { ${names.map((name) => `get ${name}() { ${failure(what)} }`).join(', ')} };`;
}

function failure(what) {
  return `throw new Error('${what} is not part of the bundle: see scripts/bundle/diet.mjs');`;
}

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
    requireBuiltins(build);
  },
};

/**
 * Loads Node's modules with require. An import runs every getter of a module, which loads unused parts: webcrypto, MIME types,
 * standard input. Fifteen imports cost 1.3 MiB more (Node 20 x64; 1.8 on 22 and 24; 2026-11-26). Names that a file does not use
 * are left out.
 */
function requireBuiltins(build) {
  const root = build.initialOptions.absWorkingDir;
  build.onResolve({ filter: BUILTIN }, ({ path, kind, importer }) => {
    if (kind !== 'import-statement') return { path, external: true };
    // One per importing file; a shared module would become a file of its own.
    return {
      path: `${path} for ${relative(root, importer)}`,
      namespace: 'builtin',
      pluginData: path,
      sideEffects: false,
    };
  });
  build.onLoad({ filter: /./, namespace: 'builtin' }, async ({ pluginData: name }) => {
    const names = Object.keys(await import(name)).filter((each) => each !== 'default');
    const exported = names.map((each) => `export const ${each} = /* @__PURE__ */ (() => builtin.${each})();`);
    const contents = [`const builtin = require('${name}');`, 'export default builtin;', ...exported].join(
      '\n',
    );
    return { contents, loader: 'js' };
  });
}
