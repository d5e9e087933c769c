/** Four concurrent requests over one socket, in full: 400 posts over a good network, 200 over a bad one. */

import { testInFlight } from './in-flight.ts';

testInFlight(200);
