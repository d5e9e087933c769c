/** A worker thread that simulates its share of the gateways (campaign.ts). */

import { parentPort, workerData } from 'node:worker_threads';
import { type Share, simulateShare, type WorkerMessage } from './campaign.ts';

const share = workerData as Share;
// The stack of an abort is not used, and costs more than the abort.
if (!share.traceMax) Error.stackTraceLimit = 0;

const post = (message: WorkerMessage) => parentPort?.postMessage(message);
const summary = await simulateShare(share, () => post({ done: 1 }));
post({ summary });
