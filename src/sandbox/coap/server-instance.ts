/**
 * One life of the CoAP server, from start to restart: everything it remembers about its peers, and the way of a message
 * through it.
 *
 *   datagram ▶ message ▶ known message ID? ▶ critical options ▶ Block1 ▶ Block2 ▶ route ▶ device API ▶ core
 *
 * A restart ends this object and makes another, which is how observations, message IDs and block states are forgotten
 * (contract, section 13). After `stop` it says nothing more, whatever the core still answers. No datagram makes it throw.
 */

import type { SandboxCore } from '../core/model/types.ts';
import { Block1Uploads } from './block1-uploads.ts';
import { Block2Answers } from './block2-responses.ts';
import { DeviceApi } from './coap-device-api.ts';
import { Exchanges } from './exchanges.ts';
import { type CoapRequest, emptyMessage, type Peer, parseDatagram, peerKey } from './message.ts';
import { type Answering, Observations } from './observations.ts';
import { type CoapOption, unknownCriticalOption } from './options.ts';
import type { Reply, Road } from './reply.ts';
import { findRoute } from './routes.ts';
import type { CoapSettings } from './settings.ts';
import { Timers } from './timers.ts';
import { type Send, Transmissions } from './transmissions.ts';

export interface LifeOptions {
  readonly core: SandboxCore;
  readonly send: Send;
  readonly settings: CoapSettings;
  readonly log: (line: string) => void;
}

export class ServerLife {
  readonly #core: SandboxCore;
  readonly #log: (line: string) => void;
  readonly #settings: CoapSettings;
  readonly #road: Road;
  readonly #exchanges: Exchanges;
  readonly #uploads: Block1Uploads;
  readonly #answers: Block2Answers;
  readonly #observations: Observations;
  readonly #api: DeviceApi;
  #stopped = false;

  constructor({ core, send, settings, log }: LifeOptions) {
    this.#core = core;
    this.#log = log;
    this.#settings = settings;
    const guarded: Send = (peer, datagram) => {
      if (!this.#stopped) send(peer, datagram);
    };
    const timers = new Timers(settings.startTimer);
    const transmissions = new Transmissions(guarded, timers, settings);
    this.#road = { send: guarded, timers, transmissions, settings, knobs: core.knobs };
    this.#exchanges = new Exchanges(this.#road, settings.nowMs);
    this.#uploads = new Block1Uploads(settings);
    this.#answers = new Block2Answers(settings);
    this.#observations = new Observations(core, this.#road, (request, response) =>
      this.#answers.cut(request, response),
    );
    this.#api = new DeviceApi(core, this.#observations);
  }

  receive(datagram: Buffer, peer: Peer): void {
    if (this.#stopped || datagram.length > this.#settings.datagramBytesMax) return;
    const inbound = parseDatagram(datagram, peer);
    switch (inbound?.type) {
      case 'request':
        return this.#meet(inbound.request);
      case 'acknowledgement':
        return this.#road.transmissions.acknowledged(peer, inbound.messageId);
      case 'reset':
        return this.#road.transmissions.reset(peer, inbound.messageId);
      case 'ping':
        return this.#road.send(peer, emptyMessage('rst', inbound.messageId));
      case undefined:
        return;
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#road.timers.stop();
    this.#observations.stop();
  }

  #meet(request: CoapRequest): void {
    const { status, reply } = this.#exchanges.meet(request);
    if (status === 'new') return this.#process(request, reply);
    const done = reply.repeat();
    const type = request.confirmable ? 'CON' : 'NON';
    this.#core.recordDuplicateDatagram(
      `${type} ${request.code} message ID ${request.messageId} from ${peerKey(request.peer)}: ${done}`,
    );
  }

  #process(request: CoapRequest, reply: Reply): void {
    const unknown = unknownCriticalOption(request.options);
    if (unknown !== undefined) {
      const payload = Buffer.from(`Unknown critical option ${unknown} is not supported!`);
      return reply.send({ code: '4.02', payload }, 'B');
    }
    const upload = this.#uploads.take(request);
    if (upload.status === 'answered') return reply.send(upload.response, 'B');
    const kept = this.#answers.fetch(upload.request);
    if (kept !== undefined) return reply.send(kept, 'B');
    const answering = this.#answering(upload.request, reply, upload.echo);
    this.#api.handle(answering, findRoute(upload.request)).catch((error: unknown) => {
      // The core promises not to reject; if it does, the device sees what a failing core looks like.
      this.#log(`CoAP: request failed: ${String(error)}`);
      answering.answer({ code: '5.00' }, 'B');
    });
  }

  #answering(request: CoapRequest, reply: Reply, echo: readonly CoapOption[]): Answering {
    return {
      request,
      accept: () => reply.accept(),
      answer: (response, kind, settled) => {
        const cut = this.#answers.cut(request, response);
        reply.send({ ...cut, options: [...(cut.options ?? []), ...echo] }, kind, settled);
      },
    };
  }
}
