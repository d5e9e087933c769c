/** The package firstlight-dtls: one program, compiled for this machine against its libssl. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderCopyright } from '../bundle/licences.mjs';
import { compileC, HELPER } from '../lib/compile-c.mjs';
import { root } from '../lib/prepare.mjs';
import { dtlsControlOf } from './control.mjs';
import { zippedChangelog } from './tree.mjs';

/** src/transport/dtls/helper-process.ts looks there, too. */
const PLACE = 'usr/libexec/firstlight/firstlight-dtls';
const DOCUMENTATION = 'usr/share/doc/firstlight-dtls';

/**
 * `{ architecture, files }` with the files as of `filesOf`, or `{ problem }`: why this machine cannot make the package. `work`
 * is a directory for what the compiler and dpkg-shlibdeps write.
 */
export function dtlsPackageOf(work, release) {
  const program = join(work, 'firstlight-dtls');
  const problem = compileC(join(root, HELPER[0]), program);
  if (problem !== undefined) return { problem };
  const architecture = output('dpkg', ['--print-architecture'], work);
  // dpkg-shlibdeps wants a source package around it.
  mkdirSync(join(work, 'debian'), { recursive: true });
  writeFileSync(
    join(work, 'debian', 'control'),
    'Source: firstlight\n\nPackage: firstlight-dtls\nArchitecture: any\n',
  );
  const [, depends] =
    /^shlibs:Depends=(.+)$/m.exec(output('dpkg-shlibdeps', ['-O', program], work) ?? '') ?? [];
  if (architecture === undefined || depends === undefined)
    return { problem: 'dpkg-shlibdeps does not find its libraries: apt install dpkg-dev libssl-dev' };
  const files = [
    [PLACE, readFileSync(program), 0o755],
    [`${DOCUMENTATION}/copyright`, renderCopyright(undefined, root), 0o644],
    [`${DOCUMENTATION}/changelog.gz`, zippedChangelog(release), 0o644],
  ];
  return { architecture, files: [...files, ...dtlsControlOf(files, { ...release, architecture, depends })] };
}

function output(command, commandLine, cwd) {
  const { status, stdout } = spawnSync(command, commandLine, { cwd, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
