/** A thread that simulates its share of the gateways (campaign.ts). */

import { parentPort, workerData } from 'node:worker_threads';
import { type Report, type Share, simulateShare } from './campaign.ts';

const share = workerData as Share;
// Nobody reads the stack of an abort, and making one costs more than the abort.
if (!share.traceMax) Error.stackTraceLimit = 0;

const post = (report: Report) => parentPort?.postMessage(report);
const tally = await simulateShare(share, () => post({ done: 1 }));
post({ tally });
