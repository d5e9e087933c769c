/**
 * The replies of the HTTP servers: status, body, content type, and ThingsBoard's error object (contract
 * section 3.6).
 */

import type { ServerResponse } from 'node:http';

export interface Reply {
  readonly status: number;
  readonly body: string;
  /** Absent if the body is empty. */
  readonly contentType?: string;
  /** Closes the connection afterwards. */
  readonly close?: boolean;
  /** Called when the reply has been sent. */
  readonly sent?: () => void;
}

export const JSON_TYPE = 'application/json';
export const TEXT_TYPE = 'text/plain;charset=UTF-8';

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

/** ThingsBoard's error object, for errors of its controller. */
export function errorObject(status: number, message: string, nowMs: number): Reply {
  const errorCode = ERROR_CODES.get(status) ?? GENERAL_ERROR;
  return json(status, JSON.stringify({ status, message, errorCode, timestamp: nowMs }));
}

export function send(response: ServerResponse, reply: Reply): void {
  const { sent } = reply;
  if (sent !== undefined) response.once('finish', sent);
  response.writeHead(reply.status, {
    'Content-Length': Buffer.byteLength(reply.body),
    ...(reply.contentType === undefined ? {} : { 'Content-Type': reply.contentType }),
    ...(reply.close === true ? { Connection: 'close' } : {}),
  });
  response.end(reply.body);
}
