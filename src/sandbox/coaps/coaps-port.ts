/** The coaps port of the sandbox: the DTLS front before its CoAP port, with a certificate. */

import { DtlsFront } from './dtls-front.ts';
import { createSelfSigned } from './self-signed.ts';

export interface CoapsOptions {
  /** Default 0: any free port. */
  readonly port?: number;
  /** PEM of the server's certificate chain and key; default: a self-signed one for localhost. */
  readonly files?: { readonly certFile: string; readonly keyFile: string };
}

export interface CoapsPort extends AsyncDisposable {
  readonly port: number;
  /** PEM that a client can trust if the certificate is self-signed. */
  readonly certFile: string;
  readonly handshakes: DtlsFront['handshakes'];
  /** Base64 of the client certificate behind a peer of the CoAP port, if any. */
  certificateOf(peer: { readonly address: string; readonly port: number }): string | undefined;
}

/** Rejects if the front is not compiled, openssl is missing, or the port is in use. */
export async function openCoapsPort(
  host: string,
  coapPort: number,
  { port = 0, files }: CoapsOptions,
): Promise<CoapsPort> {
  const own = files === undefined ? await createSelfSigned() : undefined;
  const { certFile, keyFile } = own ?? (files as NonNullable<typeof files>);
  const coapHost = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  try {
    const front = await DtlsFront.start({ host, port, coapHost, coapPort, certFile, keyFile });
    return {
      port: front.port,
      certFile,
      handshakes: front.handshakes,
      // Only the front's own datagrams come from this address and such a port.
      certificateOf: (peer) => (peer.address === coapHost ? front.certificateOf(peer.port) : undefined),
      [Symbol.asyncDispose]: async () => {
        await front.close();
        await own?.[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await own?.[Symbol.asyncDispose]();
    throw error;
  }
}
