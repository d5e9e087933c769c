/** Faults of the server: what it knows, what it takes, and that it goes away. */

import {
  coapCode,
  coapOf,
  type Fault,
  type FaultOptions,
  healthyAt,
  httpOf,
  httpUrl,
  NAME,
  type Place,
  SECRET,
  sandboxAt,
  toml,
  udpUrl,
  withToken,
} from './fault.ts';

const provisioning = (options: FaultOptions) => async (at: Place) =>
  toml(coapOf(await sandboxAt(at, options)));
/** A device made beforehand with credentials of another kind, and the profile that gives them out. */
const issuing = (credentials: object) => async (at: Place) => {
  const sandbox = await sandboxAt(at);
  const asked = { deviceName: NAME, provisionDeviceKey: 'k', provisionDeviceSecret: SECRET };
  await sandbox.core.provision(JSON.stringify({ ...asked, ...credentials }), 'http');
  sandbox.core.admin.clearProvisionState(NAME);
  sandbox.setKnobs({ strategy: 'pre-provisioned' });
  return toml(httpOf(sandbox));
};
const SAME_REMEDY =
  'the server gives one answer to a wrong key, a wrong secret and a profile without provisioning';
const FAILURE = 'the server gives one answer to each name it does not provision, so the remedy lists them';
const ANY_500 =
  'the server has one answer to overload, rate limits and a wrong kind of profile, so the remedy lists them';
const ANY_401 = 'the server answers 4.01 whatever became of the token';

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
    same: SAME_REMEDY,
    make: provisioning({ secret: 'other' }),
  },
  {
    name: 'provisioning disabled in the profile',
    event: 'FL-PROVISIONING-KEY-UNKNOWN',
    doctor: 'last success',
    same: SAME_REMEDY,
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
    same: FAILURE,
    make: async (at) => {
      const sandbox = await sandboxAt(at);
      sandbox.core.admin.createDevice({ name: NAME, token: 'another' });
      return toml(coapOf(sandbox));
    },
  },
  {
    name: 'device limit of the tenant reached',
    event: 'FL-PROVISIONING-DECLINED',
    doctor: 'last success',
    same: FAILURE,
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
    make: async (at) => withToken(coapOf(await sandboxAt(at))),
  },
  {
    name: 'token revoked while online',
    event: 'FL-UNAUTHORIZED',
    doctor: 'token',
    same: ANY_401,
    make: async (at) => {
      const sandbox = await sandboxAt(at);
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
      const sandbox = await sandboxAt(at);
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
      const sandbox = await healthyAt(at);
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
      const sandbox = await healthyAt(at);
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
    name: 'ThingsBoard away behind its proxy',
    event: 'FL-UPSTREAM-UNAVAILABLE',
    doctor: 'HTTP path',
    make: async (at) => toml(await httpUrl(at, (_request, response) => response.writeHead(502).end())),
  },
  {
    name: 'core of the server stands still',
    event: 'FL-NO-RESPONSE-AFTER-ACK',
    doctor: 'UDP path',
    doctorText: 'telemetry not at all',
    isSlow: true,
    make: async (at) => withToken(await udpUrl(at, coapCode('0.00'))),
  },
  {
    name: 'server stopped while online',
    event: 'FL-PORT-CLOSED',
    doctor: 'UDP path',
    make: async (at) => {
      const sandbox = await healthyAt(at);
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
      const sandbox = await healthyAt(at);
      const meanwhile = async () => sandbox.setKnobs({ dead: true });
      return { config: withToken(coapOf(sandbox)), meanwhile };
    },
  },
];
