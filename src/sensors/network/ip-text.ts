/** Converts hexadecimal addresses of kernel tables to their usual text form. */

/** `010200C0`, an IPv4 address in the byte order of a little-endian host, is 192.0.2.1. */
export function ipv4Text(hex: string): string {
  const bytes = hex.match(/../g) ?? [];
  return bytes
    .toReversed()
    .map((byte) => Number.parseInt(byte, 16))
    .join('.');
}

/** `fe80…0001`, 32 digits, in the form of RFC 5952: fe80::1. */
export function ipv6Text(hex: string): string {
  const groups = (hex.match(/.{4}/g) ?? []).join(':');
  // The URL Standard ("host serializing") writes addresses as in RFC 5952.
  return new URL(`http://[${groups}]`).hostname.slice(1, -1);
}
