/** `npm run build`: compiles src/ and test/ into dist/. */

import { prepare } from './lib/prepare.mjs';

prepare();
