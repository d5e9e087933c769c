/** The recorded answers, with the latency of the real server, and as long as the recording waited for silence. */

import { testRecordedAnswers } from './recorded-answers.ts';

testRecordedAnswers({ latencyMs: 50, listenMs: 8_000 });
