/** `npm run build`: compiles src/ and test/ into dist/, and makes the bundle that the tests start. */

import { prepare } from './lib/prepare.mjs';

prepare({ bundle: true });
