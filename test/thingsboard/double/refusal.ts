/** An error answer of the double, in the form of ThingsBoard's. */

export type Json = string | { readonly [name: string]: unknown } | readonly unknown[];

export class Refusal extends Error {
  readonly status: number;
  readonly body: Json;

  constructor(
    status: number,
    message: string,
    errorCode: number,
    more: Readonly<Record<string, unknown>> = {},
  ) {
    super(message);
    this.status = status;
    this.body = { status, message, errorCode, timestamp: 1, ...more };
  }

  /** A page of a proxy or of another server. */
  static page(status: number, html: string): Refusal {
    const refusal = new Refusal(status, html, 0);
    return Object.assign(refusal, { body: html });
  }
}

export const badRequest = (message: string): Refusal => new Refusal(400, message, 31);
export const notFound = (what: string): Refusal => new Refusal(404, `${what} is not found`, 32);

/** Throws if `value` is not an object with only these members. */
export function onlyMembers(
  value: unknown,
  names: readonly string[],
  what: string,
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest(`${what} must be an object`);
  const unknown = Object.keys(value).find((name) => !names.includes(name));
  if (unknown !== undefined) throw badRequest(`Unrecognized field "${unknown}" of ${what}`);
  return value as Readonly<Record<string, unknown>>;
}
