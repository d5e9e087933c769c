/** The commands that closed-output.test.ts leaves out. */

import { closedOutputTests } from './closed-output-harness.ts';

const PORTS = ['--coap-port', '0', '--http-port', '0', '--admin-port', '0'];
closedOutputTests([
  '--help',
  'config show --config CONFIG',
  'status --runtime AT',
  'status --json --runtime AT',
  'doctor --config CONFIG --state AT/state --runtime AT',
  'doctor --json --config CONFIG --state AT/state --runtime AT',
  'sample',
  'sample --watch',
  'sample --explain load1',
  'config show --json --config CONFIG',
  'config check CONFIG',
  'config explain clock.trust',
  'credentials show --state AT/state',
  'credentials forget --yes --state AT/state',
  'import --from AT/nothing --to AT',
  'prepare-image --check --root AT',
  `sandbox ${PORTS.join(' ')}`,
  'demo --seconds 60',
]);
