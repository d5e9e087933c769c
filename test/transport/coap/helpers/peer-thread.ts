/** A scripted peer in its own thread, so that its heap is not counted. Sends its port to the parent. */

import { parentPort, workerData } from 'node:worker_threads';
import { patterns, ScriptedPeer } from './scripted-peer.ts';

const pattern = workerData as keyof typeof patterns;
const script =
  pattern === 'reset' || pattern === 'silence' || pattern === 'ackThenSilence'
    ? patterns[pattern]()
    : patterns[pattern]('2.01');
const peer = await ScriptedPeer.open(script);
parentPort?.postMessage(peer.port);
