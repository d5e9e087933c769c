/**
 * The device API over CoAP: calls the core for each route and maps its answers to response codes and kinds
 * (contract sections 2, 3.2, 4.1, 5, 6 and 7). Kind A: ThingsBoard uses a typed response. Kind B: it responds
 * by code alone. A `silent` answer gets no response; `Reply` sends the empty ACK after 500 ms.
 */

import type { DeviceHandle, PackageType, PostAnswer, SandboxCore, TokenCheck } from '../core/model/types.ts';
import type { CoapRequest, CoapResponse, Peer } from './message.ts';
import type { Observations, PendingRequest } from './observations.ts';
import { optionNumber, readBlock, readUint, uintOption } from './options.ts';
import type { Route } from './routes.ts';

/** Routes that need a valid token or a client certificate. */
type DeviceRoute = Extract<Route, { readonly token: string | undefined }>;

/** Base64 of the certificate that the peer showed in its DTLS handshake, if any. */
export type CertificateOf = (peer: Peer) => string | undefined;

const textPlain = uintOption(optionNumber.contentFormat, 0);
const json = uintOption(optionNumber.contentFormat, 50);
const observeZero = uintOption(optionNumber.observe, 0);

/** Protobuf "status NOT_FOUND", because an empty payload is a valid empty protobuf request (section 3.1). */
const protobufNotFound = Buffer.from('0802', 'hex');

export class CoapDeviceApi {
  readonly #core: SandboxCore;
  readonly #observations: Observations;
  readonly #certificateOf: CertificateOf;

  constructor(core: SandboxCore, observations: Observations, certificateOf: CertificateOf) {
    this.#core = core;
    this.#observations = observations;
    this.#certificateOf = certificateOf;
  }

  async handle(pending: PendingRequest, route: Route): Promise<void> {
    switch (route.to) {
      case 'rejected':
        if (route.isAcknowledged === true) pending.acknowledge();
        return pending.answer({ code: route.code }, 'B');
      case 'banner':
        return pending.answer(banner, 'B');
      case 'discovery':
        return pending.answer(discovery, 'B');
      case 'provision':
        return this.#provision(pending);
      case 'package':
        // The server acknowledges an OTA request at once, whatever follows (sections 7 and 14).
        pending.acknowledge();
        return this.#withDevice(pending, route);
      default:
        return this.#withDevice(pending, route);
    }
  }

  async #provision(pending: PendingRequest): Promise<void> {
    const { payload } = pending.request;
    if (payload.length === 0) return pending.answer({ code: '4.00', payload: protobufNotFound }, 'B');
    const answer = await this.#core.provision(payload.toString('utf8'), 'coap');
    switch (answer.status) {
      case 'answered': {
        const body = Buffer.from(answer.json);
        const code = answer.success ? '2.01' : '4.00';
        return pending.answer({ code, options: [textPlain], payload: body }, 'B');
      }
      case 'malformed':
        return pending.answer({ code: '4.00' }, 'B');
      case 'unavailable':
        return pending.answer({ code: '5.00' }, 'B');
    }
  }

  async #withDevice(pending: PendingRequest, route: DeviceRoute): Promise<void> {
    const check = await this.#checkCredentials(pending.request.peer, route);
    switch (check.status) {
      case 'unauthorized':
        return pending.answer({ code: '4.01' }, 'B');
      case 'unavailable':
        return pending.answer({ code: '5.00' }, 'B');
      case 'ok':
        if (!check.device.coapAllowed) return pending.answer({ code: '5.00' }, 'B');
        return this.#handleDevice(pending, route, check.device);
    }
  }

  /** A token is ignored if the certificate is that of a device (section 9), but packages need one (1.1). */
  async #checkCredentials(peer: Peer, { to, token }: DeviceRoute): Promise<TokenCheck> {
    const certificate = to === 'package' ? undefined : this.#certificateOf(peer);
    const check = certificate === undefined ? undefined : await this.#core.checkCertificate(certificate);
    if (check !== undefined && (check.status === 'ok' || token === undefined)) return check;
    return token === undefined ? { status: 'unauthorized' } : this.#core.checkToken(token);
  }

  async #handleDevice(pending: PendingRequest, route: DeviceRoute, device: DeviceHandle): Promise<void> {
    const core = this.#core;
    const body = pending.request.payload.toString('utf8');
    switch (route.to) {
      case 'telemetry':
        return answerPost(pending, await core.telemetry(device, body, 'coap'), '4.00');
      case 'attributes':
        return answerPost(pending, await core.publishAttributes(device, body, 'coap'), '4.00');
      case 'claim':
        return answerPost(pending, await core.claim(device, body, 'coap'), '4.00');
      case 'rpc-reply':
        return answerPost(pending, await core.rpcReply(device, route.id, body, 'coap'), '5.00');
      case 'client-rpc':
        return answerPost(pending, await core.clientRpc(device, body, 'coap'), '5.00', '2.05');
      case 'read':
        return this.#read(pending, device);
      case 'observe':
        return this.#observe(pending, route.feature, device);
      case 'cancel':
        // No response: only the empty ACK after 500 ms (section 5).
        return this.#observations.cancel(route.feature, device, pending.request);
      case 'package':
        return this.#package(pending, route.type, device);
    }
  }

  async #read(pending: PendingRequest, device: DeviceHandle): Promise<void> {
    const { request } = pending;
    const clientKeys = keysOf(request, 'clientKeys');
    const sharedKeys = keysOf(request, 'sharedKeys');
    const answer = await this.#core.readAttributes(device, {
      ...(clientKeys === undefined ? {} : { clientKeys }),
      ...(sharedKeys === undefined ? {} : { sharedKeys }),
    });
    // The response has the content format of the request, if there is one (section 5).
    const format = readUint(request.options, optionNumber.contentFormat, 2);
    const options = [format === undefined ? json : uintOption(optionNumber.contentFormat, format)];
    switch (answer.status) {
      case 'found':
        return pending.answer({ code: '2.05', options, payload: Buffer.from(answer.json) }, 'A');
      case 'nothing':
        return pending.answer({ code: '4.04', options }, 'A');
      case 'failed':
        return pending.answer({ code: '5.00' }, 'B');
      case 'silent':
        return;
    }
  }

  async #package(pending: PendingRequest, type: PackageType, device: DeviceHandle): Promise<void> {
    const { request } = pending;
    const title = queryValue(request, 'title');
    const version = queryValue(request, 'version');
    const answer = await this.#core.readPackage(device, {
      type,
      size: integerOf(queryValue(request, 'size')),
      chunk: integerOf(queryValue(request, 'chunk')),
      ...(title === undefined ? {} : { title }),
      ...(version === undefined ? {} : { version }),
    });
    switch (answer.status) {
      case 'found': {
        // No response past the end, nor to a later block of a transfer that this socket did not begin.
        if (answer.data.length === 0 || asksForLaterBlock(request)) return;
        return pending.answer({ code: '2.05', payload: answer.data }, 'B');
      }
      case 'mismatch':
        return pending.answer({ code: '4.00' }, 'B');
      case 'none':
        return pending.answer({ code: '4.04' }, 'B');
      case 'failed':
        return pending.answer({ code: '5.00' }, 'B');
      case 'silent':
        return;
    }
  }

  async #observe(
    pending: PendingRequest,
    feature: 'attributes' | 'rpc',
    device: DeviceHandle,
  ): Promise<void> {
    if (feature === 'rpc') {
      const first = { code: '2.03', options: [observeZero] };
      return this.#observations.register(feature, device, pending, first, 'A');
    }
    const payload = Buffer.from(await this.#core.sharedAttributes(device));
    const first = { code: '2.05', options: [observeZero, json], payload };
    this.#observations.register(feature, device, pending, first, 'B');
  }
}

function answerPost(pending: PendingRequest, answer: PostAnswer, malformed: string, accepted = '2.01'): void {
  switch (answer.status) {
    case 'accepted':
      return pending.answer({ code: accepted }, 'A');
    case 'malformed':
      return pending.answer({ code: malformed }, 'B');
    case 'failed':
      return pending.answer({ code: '5.00' }, 'B');
    case 'silent':
      return;
  }
}

/** `clientKeys=a,b`. An item with a second `=` or without a value is ignored (section 5). */
function keysOf({ query }: CoapRequest, name: string): readonly string[] | undefined {
  for (const item of query) {
    const [key, value, ...more] = item.split('=');
    if (key === name && value !== undefined && value !== '' && more.length === 0) {
      return [...new Set(value.split(','))];
    }
  }
  return undefined;
}

/** The value of the first query item of that name; it may contain further `=`. */
function queryValue({ query }: CoapRequest, name: string): string | undefined {
  return query.find((item) => item.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** A 32-bit integer; 0 for an absent or empty value, NaN for any other text. */
function integerOf(text = ''): number {
  if (text === '') return 0;
  const value = /^[+-]?[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN;
  return value === (value | 0) ? value : Number.NaN;
}

function asksForLaterBlock({ options }: CoapRequest): boolean {
  const reading = readBlock(options, optionNumber.block2);
  return reading.status === 'present' && reading.block.num > 0;
}

const banner: CoapResponse = {
  code: '2.05',
  options: [textPlain],
  payload: Buffer.from('Firstlight sandbox: a stand-in for a ThingsBoard server. Devices talk to /api/v1.\n'),
};

const discovery: CoapResponse = {
  code: '2.05',
  options: [uintOption(optionNumber.contentFormat, 40)],
  payload: Buffer.from('</.well-known/core>,</api>,</api/v1>,</fw>,</sw>'),
};
