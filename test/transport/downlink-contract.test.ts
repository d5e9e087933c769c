/** Runs the downlink contract over CoAP, HTTP and the double; downlink-contract.slow.test.ts over HTTPS and failover. */

import { Secret } from '../../src/core/model/secret.ts';
import { HttpTransport } from '../../src/transport/http/transport.ts';
import { DEVICE_TOKEN, downlinkContract } from '../contracts/downlink.ts';
import { ScriptedTransport } from '../doubles/scripted-transport.ts';
import { httpPorts, openCoap, openServer, serve, userAgent } from './downlink-servers.ts';

downlinkContract('CoapTransport', async () => {
  const sandbox = await openServer();
  return serve(sandbox, () => openCoap(sandbox));
});

downlinkContract('HttpTransport over HTTP', async () => {
  const sandbox = await openServer();
  const settings = {
    scheme: 'http',
    host: '127.0.0.1',
    port: sandbox.httpPort,
    tls: { pins: [] },
    userAgent,
  } as const;
  return serve(sandbox, () => new HttpTransport(settings, httpPorts));
});

downlinkContract('ScriptedTransport', async () => {
  const transport = new ScriptedTransport();
  const { downlink } = transport;
  downlink.token = new Secret(DEVICE_TOKEN);
  const waiting = new Map<number, (body: string) => void>();
  downlink.onReply = (commandId, body) => waiting.get(commandId)?.(body);
  const renewSoon = () => setTimeout(() => downlink.renew(), 20);
  return {
    open: () => transport,
    setAttributes: (values) => downlink.setAttributes(values),
    deleteAttributes: (keys) => downlink.deleteAttributes(keys),
    command: (method, params) =>
      new Promise((resolve) => {
        const id = downlink.sendCommand(method, params);
        waiting.set(id, resolve);
      }),
    forget: () => {
      downlink.forget();
      renewSoon();
    },
    restart: () => {
      downlink.restart();
      renewSoon();
    },
    deleteDevice: () => {
      downlink.token = new Secret('none');
      downlink.end();
    },
    [Symbol.asyncDispose]: async () => {
      downlink.listenFailure = 'port-closed';
      downlink.replyFailure = 'port-closed';
      downlink.end('port-closed');
    },
  };
});
