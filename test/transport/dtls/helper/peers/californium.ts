/** Eclipse Californium from Maven Central, and the server for tests that uses it. */

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT } from '../../../../paths.ts';
import { programProblem } from './helper-process.ts';

/** The version of ThingsBoard 4.3. */
export const CALIFORNIUM = '3.12.1';
const SOURCE = join(PROJECT, 'test/transport/dtls/helper/peers/ScandiumServer.java');
const MAVEN_MS_MAX = 240_000;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>firstlight</groupId><artifactId>peer</artifactId><version>1</version>
<dependencies>${['californium-core', 'scandium']
  .map(
    (name) =>
      `<dependency><groupId>org.eclipse.californium</groupId><artifactId>${name}</artifactId><version>${CALIFORNIUM}</version></dependency>`,
  )
  .join('')}</dependencies></project>`;

/** For the option `skip` of a test. */
export const javaProblem: string | false =
  programProblem('javac', 'apt install default-jdk-headless') || programProblem('mvn', 'apt install maven');

/** Copies the jars to `directory`. Returns the command line of ScandiumServer.java without its arguments. */
export function fetchCalifornium(
  directory: string,
):
  | { readonly ok: true; readonly server: readonly string[] }
  | { readonly ok: false; readonly problem: string } {
  writeFileSync(join(directory, 'pom.xml'), POM);
  const jars = join(directory, 'jars');
  const commandLine = ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`];
  const { status, stdout } = spawnSync('mvn', commandLine, {
    cwd: directory,
    encoding: 'utf8',
    timeout: MAVEN_MS_MAX,
  });
  return status === 0
    ? { ok: true, server: ['java', '-cp', join(jars, '*'), SOURCE] }
    : { ok: false, problem: `Maven cannot fetch Californium: ${stdout.split('\n')[0]}` };
}
