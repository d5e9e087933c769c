/**
 * The admin port: lets an outside test, or a human with curl, look into the sandbox and turn its knobs.
 *
 * Always on 127.0.0.1, whatever the device ports are bound to: it shows tokens and asks for no password. A request that a
 * browser sends on behalf of a web page carries an Origin and is refused.
 */

import type { IncomingMessage } from 'node:http';
import {
  ADMIN_ENDPOINTS,
  type AdminControls,
  type AdminEndpoint,
  type AdminReply,
  refusal,
} from './admin-endpoints.ts';
import { announcedBytes, readBody } from './body.ts';
import { type HttpListener, listen } from './listener.ts';
import { json, send } from './reply.ts';
import { readTarget } from './target.ts';

export interface AdminOptions extends AdminControls {
  /** 0: any free one. */
  readonly port: number;
  readonly log: (line: string) => void;
}

const ADMIN_HOST = '127.0.0.1';
const BODY_BYTES_MAX = 1024 * 1024;

export function openAdmin(options: AdminOptions): Promise<HttpListener> {
  const { port, log } = options;
  return listen({ host: ADMIN_HOST, port, log }, async (request, response) => {
    const { status, value } = await answer(request, options);
    send(response, json(status, `${JSON.stringify(value, undefined, 2)}\n`));
  });
}

async function answer(request: IncomingMessage, controls: AdminControls): Promise<AdminReply> {
  if (request.headers.origin !== undefined) return refusal(403, 'web pages may not use the admin port');
  const url = readTarget(request.url ?? '');
  if (url === undefined) return refusal(400, 'the request path is malformed');
  const found = ADMIN_ENDPOINTS.map((endpoint) => match(endpoint, url.segments)).filter(
    (one) => one !== undefined,
  );
  if (found.length === 0) return refusal(404, 'there is nothing here; GET / lists the endpoints');
  const chosen = found.find(({ endpoint }) => endpoint.method === request.method);
  if (chosen === undefined) {
    const methods = found.map(({ endpoint }) => endpoint.method).join(', ');
    return refusal(405, `this path takes ${methods}`);
  }
  if (announcedBytes(request) > BODY_BYTES_MAX) {
    return refusal(413, `the body is longer than ${BODY_BYTES_MAX} bytes`);
  }
  const read = await readBody(request, BODY_BYTES_MAX);
  if (read.status === 'gone') return refusal(400, 'the body did not arrive');
  const body = parseBody(read.text);
  if (!body.ok) return refusal(400, 'the body is not JSON');
  const { name } = chosen;
  return chosen.endpoint.run({ name, query: url.query, text: read.text, body: body.value }, controls);
}

function match(
  endpoint: AdminEndpoint,
  segments: readonly string[],
): { endpoint: AdminEndpoint; name: string } | undefined {
  const wanted = endpoint.path.split('/').slice(1);
  if (wanted.length !== segments.length) return undefined;
  const fits = wanted.every((segment, index) => segment === 'NAME' || segment === segments[index]);
  return fits ? { endpoint, name: segments[wanted.indexOf('NAME')] ?? '' } : undefined;
}

function parseBody(text: string): { ok: true; value: unknown } | { ok: false } {
  if (text === '') return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}
