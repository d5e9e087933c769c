/** The import with the plug pulled, or the disk refusing, at every single operation. */

import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { checkText } from '../../src/cli/image/import-check.ts';
import { type Checked, importFile, type Outcome } from '../../src/image/import-file.ts';
import { type Fault, PowerCut, PulledPlugDisk } from '../doubles/faulty-disk.ts';

const SOURCE = '/boot/firmware/firstlight.toml';
const NOTE = '/boot/firmware/firstlight-error.txt';
const CONFIG = '/etc/firstlight/conf.d/00-boot.toml';
const DIGEST = '/etc/firstlight/.firstlight.toml.imported';
const SECRET_FILE = '/etc/credstore/firstlight.secret';
const TOKEN_FILE = '/etc/credstore/firstlight.token';
const SECRET = 'the-new-secret-7f3a';
const OLD = '[server]\nurl = "coap://old"\n[device]\ntoken = "old-token-in-line"\n';
const LONG_COMMENT = `# ${'long '.repeat(4_000)}\n`;
const GOOD = `[server]\nurl = "coap://new"\n${LONG_COMMENT}[provisioning]\nkey = "k"\nsecret = "${SECRET}"\n`;
const IMPORTED = GOOD.replace(
  /^secret.*$/m,
  `# secret: is in ${SECRET_FILE}, where firstlight import has put it`,
);
const BACKUP = `${CONFIG}.2023-11-14T22-13-20Z.bak`;
const DIRECTORIES = ['/boot/firmware', '/etc/firstlight', '/etc/firstlight/conf.d', '/etc/credstore'];

/** A gateway that was set up before, with a token, and whose card got a new file after a wrong one. */
function secondHand(): PulledPlugDisk {
  return new PulledPlugDisk()
    .put(SOURCE, GOOD)
    .put(NOTE, 'of yesterday')
    .put(CONFIG, OLD, 0o600)
    .put(TOKEN_FILE, 'old-token', 0o600);
}

function factoryNew(): PulledPlugDisk {
  return new PulledPlugDisk().put(SOURCE, GOOD);
}

/** The loader's answer depends on the text alone. */
const answers = new Map<string, Checked>();

function check(text: string): Checked {
  const places = {
    directory: '/etc/firstlight',
    config: CONFIG,
    credstore: '/etc/credstore',
    credentials: '/nowhere',
    scratch: tmpdir(),
  };
  const answer = answers.get(text) ?? checkText(text, places);
  answers.set(text, answer);
  return answer;
}

function run(disk: PulledPlugDisk): { readonly outcome: Outcome; readonly said: string } {
  const said: string[] = [];
  const outcome = importFile(
    { sources: [SOURCE], digest: DIGEST },
    {
      disk,
      check,
      worthKeeping: () => true,
      say: (_level, sentence) => said.push(sentence),
      version: '1',
    },
  );
  return { outcome, said: said.join('\n') };
}

/** A life that ends with the power; what the program would still have said does not matter. */
function cut(disk: PulledPlugDisk): boolean {
  try {
    return !run(disk).said.includes('PowerCut');
  } catch (error) {
    assert.ok(error instanceof PowerCut, String(error));
    return false;
  }
}

function assertImported(disk: PulledPlugDisk, wasSetUp: boolean, where: string): void {
  const expected = [CONFIG, SECRET_FILE, ...(wasSetUp ? [BACKUP] : [])].sort();
  assert.deepEqual(disk.paths, expected, where);
  assert.equal(disk.text(CONFIG), IMPORTED, where);
  assert.equal(disk.mode(CONFIG), 0o644, where);
  assert.equal(disk.text(SECRET_FILE), SECRET, where);
  assert.equal(disk.mode(SECRET_FILE), 0o600, where);
  if (wasSetUp) assert.equal(disk.text(BACKUP), OLD, where);
}

/** Nothing is torn, nothing is lost: what must be true of the disk at any instant. */
function assertSafe(disk: PulledPlugDisk, wasSetUp: boolean, where: string): void {
  const config = disk.text(CONFIG);
  assert.ok(config === IMPORTED || config === (wasSetUp ? OLD : undefined), `${where}: configuration torn`);
  assert.ok([SECRET, undefined].includes(disk.text(SECRET_FILE)), `${where}: secret torn`);
  const isInPlace = config === IMPORTED && disk.text(SECRET_FILE) === SECRET;
  assert.ok(disk.text(SOURCE) === GOOD || isInPlace, `${where}: the only copy is gone`);
  if (wasSetUp)
    assert.ok([disk.text(CONFIG), disk.text(BACKUP)].includes(OLD), `${where}: the old one is lost`);
}

for (const [name, start] of [
  ['a new gateway', factoryNew],
  ['a gateway that was set up before', secondHand],
] as const) {
  const wasSetUp = start === secondHand;

  test(`${name}: undisturbed, the file is imported, its secret apart, and nothing is left on the card`, () => {
    const disk = start();
    assert.equal(run(disk).outcome, 'imported');
    assertImported(disk, wasSetUp, 'undisturbed');
  });

  test(`${name}: a power cut at any operation loses nothing, and the next boot ends as if there had been none`, () => {
    let cuts = 0;
    for (const is of ['cut before', 'cut amid'] as const) {
      for (let at = 1; ; at++) {
        const disk = start().with({ at, is });
        if (cut(disk) && disk.done.length < at) break;
        for (let losses = 0; losses < 2 ** DIRECTORIES.length; losses++) {
          const where = `${is} ${at} (${disk.done.at(-1)}), losses ${losses}`;
          const found = disk.afterTheCut(
            (directory) => ((losses >> DIRECTORIES.indexOf(directory)) & 1) === 1,
          );
          assertSafe(found, wasSetUp, where);
          assert.ok(['imported', 'nothing to do'].includes(run(found).outcome), where);
          assertImported(found, wasSetUp, where);
          cuts++;
        }
      }
    }
    assert.ok(cuts > 150, `${cuts}`);
  });

  test(`${name}: a disk that refuses at any operation leaves old or new, and the next boot finishes`, () => {
    for (const code of ['EIO', 'ENOSPC', 'EROFS']) {
      for (const lasting of [false, true]) {
        for (let at = 1; ; at++) {
          const fault: Fault = { at, is: { code, lasting } };
          const disk = start().with(fault);
          const { outcome, said } = run(disk);
          if (disk.done.length < at) break;
          const where = `${code} at ${at} (${disk.done[at - 1]}), lasting ${lasting}`;
          assertSafe(disk, wasSetUp, where);
          assert.ok(['imported', 'failed'].includes(outcome), where);
          assert.ok(said.includes(code), `${where}: ${said}`);
          assert.ok(!said.includes(SECRET), where);
          const healed = disk.afterTheCut(() => false);
          run(healed);
          // A note that could not be removed is told; the secret must go all the same.
          if (/error\.txt, of an earlier attempt, cannot/.test(said)) healed.remove(NOTE);
          assertImported(healed, wasSetUp, where);
        }
      }
    }
  });
}

test('a card that cannot be written to: imported, said, and not imported again over what was edited since', () => {
  const isReadOnly: Fault = { at: 1, is: { code: 'EROFS', lasting: true, below: '/boot' } };
  const first = factoryNew().with(isReadOnly);
  const { outcome, said } = run(first);
  assert.equal(outcome, 'imported');
  assert.match(said, /CANNOT BE REMOVED AND STILL HOLDS .*SECRET.*read-only/);
  assert.equal(first.text(CONFIG), IMPORTED);
  const edited = first
    .afterTheCut(() => false)
    .put(CONFIG, OLD)
    .with(isReadOnly);
  assert.match(run(edited).said, /was imported before[\s\S]*CANNOT BE REMOVED/);
  assert.equal(edited.text(CONFIG), OLD);
  const writable = edited.afterTheCut(() => false);
  assert.equal(run(writable).outcome, 'imported');
  assert.deepEqual(writable.paths, [SECRET_FILE, CONFIG].sort());
  assert.equal(writable.text(CONFIG), OLD);
});

test('a wrong file is noted beside it, changes nothing else at any refusal, and the same note is not written twice', () => {
  const start = () => new PulledPlugDisk().put(SOURCE, GOOD.replace('coap:', 'mqtt:')).put(CONFIG, OLD);
  const disk = start();
  assert.equal(run(disk).outcome, 'refused');
  assert.deepEqual(disk.paths, [NOTE, SOURCE, CONFIG].sort());
  const writes = disk.done.length;
  assert.equal(run(disk).outcome, 'refused');
  assert.equal(disk.done.length, writes);
  for (let at = 1; at <= writes; at++) {
    const refusing = start().with({ at, is: { code: 'ENOSPC', lasting: true } });
    const { outcome, said } = run(refusing);
    assert.equal(outcome, 'refused');
    assert.match(said, /firstlight-error\.txt cannot be written: the disk is full/);
    assert.equal(refusing.text(CONFIG), OLD);
    assert.equal(refusing.text(SOURCE), start().text(SOURCE));
  }
});
