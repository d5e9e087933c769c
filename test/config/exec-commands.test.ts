/** The tables [[command.exec]] and remote.commands: what the server may run, and every mistake named with its line. */

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { changedTables } from '../../src/config/differences.ts';
import { ConfigFixture, SERVER } from './config-fixture.ts';

const EXEC = `[[command.exec]]
name = "restart-modbus"
command = ["/usr/local/bin/modbus", "--port={port}", "restart"]
parameters = ["port=[0-9]{1,5}"]
`;

function commandsOf(toml: string) {
  using fixture = new ConfigFixture();
  return fixture.load(SERVER + toml).config.commands;
}

function sentencesOf(toml: string): readonly string[] {
  using fixture = new ConfigFixture();
  return fixture.sentences(SERVER + toml);
}

describe('remote.commands', () => {
  it('allows only commands that read by default', () => {
    assert.deepEqual(commandsOf(''), { isOff: false, enabled: [], exec: [] });
  });

  it('is a text or a list', () => {
    const expected = { isOff: false, enabled: ['reload', 'restart'], exec: [] };
    assert.deepEqual(commandsOf('[remote]\ncommands = "reload, restart"\n'), expected);
    assert.deepEqual(commandsOf('[remote]\ncommands = ["reload", "restart"]\n'), expected);
  });

  it('turns all commands off', () => {
    assert.equal(commandsOf('[remote]\ncommands = "off"\n').isOff, true);
  });

  it('names an unknown command with the nearest one', () => {
    assert.match(sentencesOf('[remote]\ncommands = "rebot"\n')[0] ?? '', /remote\.commands.*"reboot"/);
  });

  it('is part of the configuration whose change is noticed', () => {
    using fixture = new ConfigFixture();
    const before = fixture.load(SERVER).config;
    const after = fixture.load(`${SERVER}[remote]\ncommands = "reload"\n`).config;
    assert.deepEqual(changedTables(before, after), ['commands']);
  });
});

describe('a table [[command.exec]]', () => {
  it('has defaults for missing fields', () => {
    assert.deepEqual(commandsOf(EXEC).exec, [
      {
        name: 'restart-modbus',
        argumentVector: ['/usr/local/bin/modbus', '--port={port}', 'restart'],
        parameters: [{ name: 'port', pattern: '[0-9]{1,5}' }],
        timeoutMs: 10_000,
        outputBytesMax: 4096,
      },
    ]);
  });

  for (const [title, toml, expected] of [
    ['the name of a built-in command', EXEC.replace('restart-modbus', 'doctor'), /built-in command/],
    [
      'a name that is no method',
      EXEC.replace('restart-modbus', 'Restart Modbus'),
      /not a valid command name/,
    ],
    ['a relative path', EXEC.replace('/usr/local', 'usr/local'), /absolute path/],
    ['a parameter that no argument uses', EXEC.replace('{port}', '502'), /port, which no argument uses/],
    [
      'an argument with an unknown parameter',
      EXEC.replace('{port}', '{prot}'),
      /uses \{prot\}, which is not among the parameters/,
    ],
    ['a parameter in the path', EXEC.replace('bin/modbus', 'bin/{port}'), /path of the program/],
    ['a pattern that is no regular expression', EXEC.replace('{1,5}', '{1,5'), /name=pattern/],
    ['an output above the bound', `${EXEC}output = "1MB"\n`, /output.*48KiB/],
    ['an unknown field', `${EXEC}shell = "yes"\n`, /command\.exec\.shell/],
    ['another kind', '[[command.exce]]\nname = "x"\n', /did you mean \[\[command\.exec\]\]/],
  ] as const) {
    it(`is refused with ${title}`, () => {
      const sentences = sentencesOf(toml);
      assert.match(sentences.join('\n'), expected);
      assert.match(sentences[0] ?? '', /^firstlight\.toml:\d+/);
    });
  }

  it('may not be named twice in one file', () => {
    assert.match(sentencesOf(EXEC + EXEC).join('\n'), /already the name of another command/);
  });

  it('is one of at most sixteen', () => {
    const tables = Array.from({ length: 17 }, (_, index) =>
      EXEC.replace('restart-modbus', `command-${index}`),
    );
    assert.match(sentencesOf(tables.join('')).join('\n'), /too many tables.*at most 16/);
  });
});
