/**
 * The replies of the HTTP servers: status, body, content type, and ThingsBoard's error object (contract
 * section 3.6).
 */

import type { ServerResponse } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly body: string | Buffer;
  /** Absent if the body is empty. */
  readonly contentType?: string;
  /** Further headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Closes the connection afterwards. */
  readonly close?: boolean;
  /** Called when the reply has been sent. */
  readonly sent?: () => void;
}

export const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain;charset=UTF-8';
const HTML_TYPE = 'text/html;charset=utf-8';
export const BINARY_TYPE = 'application/octet-stream';

/** The errorCode of each status in the error object; 2 is the general one. */
const ERROR_CODES: ReadonlyMap<number, number> = new Map([
  [400, 31],
  [401, 10],
  [404, 32],
  [405, 31],
  [429, 33],
]);
const GENERAL_ERROR = 2;

export function empty(status: number): Reply {
  return { status, body: '' };
}

export function json(status: number, body: string): Reply {
  return { status, body, contentType: JSON_TYPE };
}

export function text(status: number, body: string): Reply {
  return { status, body, contentType: TEXT_TYPE };
}

/** The error page of the web server, which answers before ThingsBoard does. */
export function badRequestPage(): Reply {
  const title = 'HTTP Status 400 – Bad Request';
  const body = `<!doctype html><html lang="en"><head><title>${title}</title></head><body><h1>${title}</h1></body></html>`;
  return { status: 400, body, contentType: HTML_TYPE };
}

/**
 * ThingsBoard's error object, for errors of its controller. The members of a 500 have another order, because
 * another of its handlers writes it (contract section 14).
 */
export function errorObject(status: number, message: string, nowMs: number): Reply {
  const errorCode = ERROR_CODES.get(status) ?? GENERAL_ERROR;
  const members =
    status === 500
      ? { status, message, errorCode, timestamp: nowMs }
      : { message, errorCode, status, timestamp: nowMs };
  return json(status, JSON.stringify(members));
}

export function send(response: ServerResponse, reply: Reply): void {
  const { sent } = reply;
  if (sent !== undefined) response.once('finish', sent);
  response.writeHead(reply.status, {
    'Content-Length': Buffer.byteLength(reply.body),
    ...(reply.contentType === undefined ? {} : { 'Content-Type': reply.contentType }),
    ...reply.headers,
    ...(reply.close === true ? { Connection: 'close' } : {}),
  });
  response.end(reply.body);
}
