/** A plain HTTP client: one request, the whole response. */

import { request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
  /** Empty if there is none. */
  readonly contentType: string;
}

export interface HttpCall {
  readonly method: string;
  readonly path: string;
  readonly body?: string | Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

export type HttpClient = (call: HttpCall) => Promise<HttpAnswer>;

export function httpClient(port: number): HttpClient {
  return ({ method, path, body, headers = {}, signal }) =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, method, path, headers, agent: false };
      const sending = request(signal === undefined ? options : { ...options, signal }, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString('utf8'),
            contentType: response.headers['content-type'] ?? '',
          });
        });
      });
      sending.on('error', reject);
      sending.end(body);
    });
}
