/**
 * The state of the CoAP server from one start to the next (contract section 13), and the path of a datagram
 * through it:
 *
 *   datagram ▶ message ▶ duplicate? ▶ critical options ▶ Block1 ▶ Block2 ▶ route ▶ device API ▶ core
 *
 * After `stop` it sends nothing more. No datagram makes it throw.
 */

import type { SandboxCore } from '../core/model/types.ts';
import { Block1Uploads } from './block1-uploads.ts';
import { Block2Responses } from './block2-responses.ts';
import { type CertificateOf, CoapDeviceApi } from './coap-device-api.ts';
import { Exchanges } from './exchanges.ts';
import { type CoapRequest, emptyMessage, type Peer, parseDatagram, peerKey } from './message.ts';
import { Observations, type PendingRequest } from './observations.ts';
import { type CoapOption, unknownCriticalOption } from './options.ts';
import type { Reply, ServerContext } from './reply.ts';
import { findRoute } from './routes.ts';
import type { CoapSettings } from './settings.ts';
import { Timers } from './timers.ts';
import { type Send, Transmissions } from './transmissions.ts';

export interface ServerInstanceOptions {
  readonly core: SandboxCore;
  readonly send: Send;
  readonly settings: CoapSettings;
  readonly log: (line: string) => void;
  readonly certificateOf?: CertificateOf;
}

export class ServerInstance {
  readonly #core: SandboxCore;
  readonly #log: (line: string) => void;
  readonly #settings: CoapSettings;
  readonly #context: ServerContext;
  readonly #exchanges: Exchanges;
  readonly #uploads: Block1Uploads;
  readonly #answers: Block2Responses;
  readonly #observations: Observations;
  readonly #api: CoapDeviceApi;
  #stopped = false;

  constructor({ core, send, settings, log, certificateOf = () => undefined }: ServerInstanceOptions) {
    this.#core = core;
    this.#log = log;
    this.#settings = settings;
    const sendUnlessStopped: Send = (peer, datagram) => {
      if (!this.#stopped) send(peer, datagram);
    };
    const timers = new Timers(settings.startTimer);
    const transmissions = new Transmissions(sendUnlessStopped, timers, settings);
    this.#context = { send: sendUnlessStopped, timers, transmissions, settings, knobs: core.knobs };
    this.#exchanges = new Exchanges(this.#context, settings.nowMs);
    this.#uploads = new Block1Uploads(settings);
    this.#answers = new Block2Responses(settings);
    this.#observations = new Observations(core, this.#context, (request, response) =>
      this.#answers.applyBlockSize(request, response),
    );
    this.#api = new CoapDeviceApi(core, this.#observations, certificateOf);
  }

  receive(datagram: Buffer, peer: Peer): void {
    if (this.#stopped || datagram.length > this.#settings.datagramBytesMax) return;
    const inbound = parseDatagram(datagram, peer);
    switch (inbound?.type) {
      case 'request':
        return this.#handleRequest(inbound.request);
      case 'acknowledgement':
        return this.#context.transmissions.acknowledged(peer, inbound.messageId);
      case 'reset':
        return this.#context.transmissions.reset(peer, inbound.messageId);
      case 'ping':
        return this.#context.send(peer, emptyMessage('rst', inbound.messageId));
      case undefined:
        return;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#context.timers.stop();
    this.#observations.stop();
  }

  #handleRequest(request: CoapRequest): void {
    const { status, reply } = this.#exchanges.register(request);
    if (status === 'new') return this.#process(request, reply);
    const outcome = reply.repeat();
    const type = request.confirmable ? 'CON' : 'NON';
    this.#core.recordDuplicateDatagram(
      `${type} ${request.code} message ID ${request.messageId} from ${peerKey(request.peer)}: ${outcome}`,
    );
  }

  #process(request: CoapRequest, reply: Reply): void {
    const unknown = unknownCriticalOption(request.options);
    if (unknown !== undefined) {
      const payload = Buffer.from(`Unknown critical option ${unknown} is not supported!`);
      return reply.send({ code: '4.02', payload }, 'B');
    }
    const upload = this.#uploads.receive(request);
    if (upload.status === 'answered') return reply.send(upload.response, 'B');
    const storedBlock = this.#answers.fetch(upload.request);
    if (storedBlock !== undefined) return reply.send(storedBlock, 'B');
    const pending = this.#createPendingRequest(upload.request, reply, upload.echo);
    this.#api.handle(pending, findRoute(upload.request)).catch((error: unknown) => {
      // The core never rejects, except by a bug; then the device sees a server failure.
      this.#log(`CoAP: request failed: ${String(error)}`);
      pending.answer({ code: '5.00' }, 'B');
    });
  }

  #createPendingRequest(request: CoapRequest, reply: Reply, echo: readonly CoapOption[]): PendingRequest {
    return {
      request,
      acknowledge: () => reply.acknowledge(),
      answer: (response, kind, onOutcome) => {
        const blockResponse = this.#answers.applyBlockSize(request, response);
        reply.send(
          { ...blockResponse, options: [...(blockResponse.options ?? []), ...echo] },
          kind,
          onOutcome,
        );
      },
    };
  }
}
