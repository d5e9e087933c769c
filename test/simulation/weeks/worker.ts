/** A thread that simulates its share of the gateways (campaign.ts). */

import { parentPort, workerData } from 'node:worker_threads';
import { type Report, type Share, simulateShare } from './campaign.ts';

// Nobody reads the stack of an abort, and making one costs more than the abort.
Error.stackTraceLimit = 4;

const post = (report: Report) => parentPort?.postMessage(report);
const tally = await simulateShare(workerData as Share, () => post({ done: 1 }));
post({ tally });
