/**
 * What the bundle leaves out or puts off, and why it may: an esbuild plugin.
 *
 * The agent lives for years in a few megabytes, so whatever `firstlight run` never reaches is not loaded.
 * Every substitute below is the same thing from Node itself, or the same library without the rest of it, or
 * fails with a sentence when it is used after all.
 */

import { builtinModules } from 'node:module';
import { relative } from 'node:path';

const BUILTIN = new RegExp(`^(node:)?(${builtinModules.join('|')})$`);
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
  // What src/host/journal.ts uses of winston. Its front page also makes a logger of its own, and loads every colour.
  {
    module: /^winston$/,
    from: /\/src\/host\//,
    text: `exports.createLogger = require('winston/lib/winston/create-logger.js');
           exports.transports = { Stream: require('winston/lib/winston/transports/stream.js') };
           exports.format = { printf: require('logform/printf.js') };`,
  },
  // It would remember the colours of the levels.
  { module: /^logform$/, from: /\/winston\//, text: 'exports.levels = (levels) => levels;' },
  {
    module: /^logform\/json$/,
    from: /\/winston\//,
    text: `module.exports = () => { ${failure('a logger without a format')} };`,
  },
  // Of which conf takes deepEqual, for two JSON objects.
  {
    module: /^node:assert$/,
    from: /\/conf\//,
    text: `const { isDeepStrictEqual } = require('node:util');
           exports.deepEqual = (a, b) => { if (!isDeepStrictEqual(a, b)) throw new Error('not equal'); };`,
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
 * Node's modules are asked for with require. An import runs every getter a module has, and these load what nobody has asked for:
 * webcrypto, MIME types, standard input. Fifteen of them cost 1.3 MiB more so (Node 20 x64, 1.8 on 22 and 24, 2026-11-26). What a
 * file does not name is left out of it.
 */
function requireBuiltins(build) {
  const root = build.initialOptions.absWorkingDir;
  build.onResolve({ filter: BUILTIN }, ({ path, kind, importer }) => {
    if (kind !== 'import-statement') return { path, external: true };
    // For each file its own, or what several files share would be cut into files of its own.
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
