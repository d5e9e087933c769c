/** Faults of the server: what it knows, what it accepts, and that it stops. */

import {
  coapCode,
  coapOf,
  type Fault,
  type FaultOptions,
  httpOf,
  httpUrl,
  NAME,
  openHealthyServer,
  openSandboxFor,
  type Place,
  SECRET,
  toml,
  udpUrl,
  withToken,
} from './fault.ts';

const provisioning = (options: FaultOptions) => async (at: Place) =>
  toml(coapOf(await openSandboxFor(at, options)));
/** A device that exists with credentials of another type, and the profile that issues them. */
const issuing = (credentials: object) => async (at: Place) => {
  const sandbox = await openSandboxFor(at);
  const request = { deviceName: NAME, provisionDeviceKey: 'k', provisionDeviceSecret: SECRET };
  await sandbox.core.provision(JSON.stringify({ ...request, ...credentials }), 'http');
  sandbox.core.admin.clearProvisionState(NAME);
  sandbox.setKnobs({ strategy: 'pre-provisioned' });
  return toml(httpOf(sandbox));
};
const ANY_NOT_FOUND =
  'the server gives the same response to a wrong key, a wrong secret and a profile without provisioning';
const ANY_FAILURE =
  'the server gives the same response to each name that it does not provision, so the remedy lists the causes';
const ANY_500 =
  'the server gives the same response to overload, rate limits and a wrong type of profile, so the remedy lists the causes';
const ANY_401 = 'the server gives 4.01 for every invalid token';

export const SERVER_FAULTS: readonly Fault[] = [
  {
    name: 'wrong provisioning key',
    event: 'FL-PROVISIONING-KEY-UNKNOWN',
    doctor: 'last success',
    make: provisioning({ key: 'other' }),
  },
  {
    name: 'wrong provisioning secret',
    event: 'FL-PROVISIONING-KEY-UNKNOWN',
    doctor: 'last success',
    same: ANY_NOT_FOUND,
    make: provisioning({ secret: 'other' }),
  },
  {
    name: 'provisioning disabled in the profile',
    event: 'FL-PROVISIONING-KEY-UNKNOWN',
    doctor: 'last success',
    same: ANY_NOT_FOUND,
    make: provisioning({ knobs: { strategy: 'disabled' } }),
  },
  {
    name: 'device not created beforehand',
    event: 'FL-PROVISIONING-DECLINED',
    doctor: 'last success',
    make: provisioning({ knobs: { strategy: 'pre-provisioned' } }),
  },
  {
    name: 'name taken by another device',
    event: 'FL-PROVISIONING-DECLINED',
    doctor: 'last success',
    same: ANY_FAILURE,
    make: async (at) => {
      const sandbox = await openSandboxFor(at);
      sandbox.core.admin.createDevice({ name: NAME, token: 'another' });
      return toml(coapOf(sandbox));
    },
  },
  {
    name: 'device limit of the tenant reached',
    event: 'FL-PROVISIONING-DECLINED',
    doctor: 'last success',
    same: ANY_FAILURE,
    make: provisioning({ knobs: { deviceLimitReached: true } }),
  },
  {
    name: 'device with MQTT user and password, over HTTP',
    event: 'FL-CREDENTIALS-TYPE-UNSUPPORTED',
    message: 'MQTT_BASIC',
    doctor: 'last success',
    make: issuing({ credentialsType: 'MQTT_BASIC', username: 'u', password: SECRET }),
  },
  {
    name: 'device with a certificate, over HTTP',
    event: 'FL-CREDENTIALS-TYPE-UNSUPPORTED',
    message: 'X509_CERTIFICATE',
    doctor: 'last success',
    make: issuing({ credentialsType: 'X509_CERTIFICATE', hash: 'MIIB' }),
  },
  {
    name: 'token unknown to the server',
    event: 'FL-UNAUTHORIZED',
    doctor: 'token',
    make: async (at) => withToken(coapOf(await openSandboxFor(at))),
  },
  {
    name: 'token revoked while online',
    event: 'FL-UNAUTHORIZED',
    doctor: 'token',
    same: ANY_401,
    make: async (at) => {
      const sandbox = await openSandboxFor(at);
      const meanwhile = async () => void sandbox.core.admin.revokeToken(NAME);
      return { config: toml(coapOf(sandbox)), meanwhile };
    },
  },
  {
    name: 'device deleted while online',
    event: 'FL-UNAUTHORIZED',
    doctor: 'token',
    same: ANY_401,
    make: async (at) => {
      const sandbox = await openSandboxFor(at);
      const meanwhile = async () => void sandbox.core.admin.deleteDevice(NAME);
      return { config: toml(coapOf(sandbox)), meanwhile };
    },
  },
  {
    name: 'device profile of transport type MQTT',
    event: 'FL-SERVER-OVERLOADED',
    message: '5.00',
    doctor: 'token',
    make: async (at) => {
      const sandbox = await openHealthyServer(at);
      sandbox.setKnobs({ transportType: 'MQTT' });
      return withToken(coapOf(sandbox));
    },
  },
  {
    name: 'rate limited by ThingsBoard',
    event: 'FL-SERVER-OVERLOADED',
    message: '5.00',
    same: ANY_500,
    make: async (at) => {
      const sandbox = await openHealthyServer(at);
      sandbox.setKnobs({ rateLimited: true });
      return withToken(coapOf(sandbox));
    },
  },
  {
    name: 'rate limited by a proxy in front',
    event: 'FL-SERVER-OVERLOADED',
    message: 'response 429',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, (_request, response) => response.writeHead(429).end())),
  },
  {
    name: 'ThingsBoard stopped behind its proxy',
    event: 'FL-UPSTREAM-UNAVAILABLE',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, (_request, response) => response.writeHead(502).end())),
  },
  {
    name: 'stalled core of the server',
    event: 'FL-NO-RESPONSE-AFTER-ACK',
    doctor: 'UDP path',
    doctorText: 'but not to telemetry',
    isSlow: true,
    make: async (at) => withToken(await udpUrl(at, coapCode('0.00'))),
  },
  {
    name: 'server stopped while online',
    event: 'FL-PORT-CLOSED',
    doctor: 'UDP path',
    make: async (at) => {
      const sandbox = await openHealthyServer(at);
      const meanwhile = () => sandbox[Symbol.asyncDispose]();
      return { config: withToken(coapOf(sandbox)), meanwhile };
    },
  },
  {
    name: 'server switched off while online',
    event: 'FL-SERVER-TIMEOUT',
    message: 'in 45 s',
    isSlow: true,
    doctor: 'UDP path',
    make: async (at) => {
      const sandbox = await openHealthyServer(at);
      const meanwhile = async () => sandbox.setKnobs({ dead: true });
      return { config: withToken(coapOf(sandbox)), meanwhile };
    },
  },
];
