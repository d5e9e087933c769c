/** Retransmission of responses with the times of RFC 7252. */

import { testRetransmission } from './retransmission.ts';

testRetransmission();
