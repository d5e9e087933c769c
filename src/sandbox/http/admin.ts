/**
 * The admin port: an HTTP API for tests and for curl to inspect and control the sandbox. It shows tokens
 * without authentication, so it always listens on 127.0.0.1 and rejects requests of web pages (Origin).
 */

import type { IncomingMessage } from 'node:http';
import {
  ADMIN_ENDPOINTS,
  type AdminControls,
  type AdminEndpoint,
  type AdminReply,
  failure,
} from './admin-endpoints.ts';
import { type HttpListener, listen } from './listener.ts';
import { json, send } from './reply.ts';
import { announcedBytes, parseTarget, readBody } from './request.ts';

export interface AdminOptions extends AdminControls {
  /** 0: any free port. */
  readonly port: number;
  readonly log: (line: string) => void;
}

const ADMIN_HOST = '127.0.0.1';
const JSON_BYTES_MAX = 1024 * 1024;
const PACKAGE_BYTES_MAX = 64 * 1024 * 1024;

export function openAdmin(options: AdminOptions): Promise<HttpListener> {
  const { port, log } = options;
  return listen({ host: ADMIN_HOST, port, log }, async (request, response) => {
    const { status, value } = await answer(request, options);
    send(response, json(status, `${JSON.stringify(value, undefined, 2)}\n`));
  });
}

async function answer(request: IncomingMessage, controls: AdminControls): Promise<AdminReply> {
  if (request.headers.origin !== undefined) return failure(403, 'web pages may not use the admin port');
  const url = parseTarget(request.url ?? '');
  if (url === undefined) return failure(400, 'the request path is malformed');
  const matches = ADMIN_ENDPOINTS.map((endpoint) => match(endpoint, url.segments)).filter(
    (one) => one !== undefined,
  );
  if (matches.length === 0) return failure(404, 'no such endpoint; GET / lists all');
  const selected = matches.find(({ endpoint }) => endpoint.method === request.method);
  if (selected === undefined) {
    const methods = matches.map(({ endpoint }) => endpoint.method).join(', ');
    return failure(405, `this path takes ${methods}`);
  }
  const { endpoint, name } = selected;
  const bytesMax = endpoint.takesBytes === true ? PACKAGE_BYTES_MAX : JSON_BYTES_MAX;
  if (announcedBytes(request) > bytesMax) return failure(413, `the body is longer than ${bytesMax} bytes`);
  const read = await readBody(request, bytesMax);
  if (read.status === 'aborted') return failure(400, 'the body did not arrive');
  const { bytes } = read;
  const text = endpoint.takesBytes === true ? '' : bytes.toString('utf8');
  const body = parseBody(text);
  if (!body.ok) return failure(400, 'the body is not JSON');
  return endpoint.run({ name, query: url.query, bytes, text, body: body.value }, controls);
}

function match(
  endpoint: AdminEndpoint,
  segments: readonly string[],
): { endpoint: AdminEndpoint; name: string } | undefined {
  const pattern = endpoint.path.split('/').slice(1);
  if (pattern.length !== segments.length) return undefined;
  const isMatch = pattern.every((segment, index) => segment === 'NAME' || segment === segments[index]);
  return isMatch ? { endpoint, name: segments[pattern.indexOf('NAME')] ?? '' } : undefined;
}

function parseBody(text: string): { ok: true; value: unknown } | { ok: false } {
  if (text === '') return { ok: true, value: undefined };
  try {
    return { ok: true, value: JSON.parse(text) };
  } catch {
    return { ok: false };
  }
}
