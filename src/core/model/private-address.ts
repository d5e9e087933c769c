/** Whether an IP address is loopback, link-local or private (RFC 6890, RFC 1918, RFC 4193). */

/** `address` is an IPv4 or IPv6 literal without brackets or zone. */
export function isPrivateAddress(address: string): boolean {
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address) ?? [];
  const ipv4 = /^(\d+)\.(\d+)\.\d+\.\d+$/.exec(mapped ?? address);
  if (ipv4) return isPrivateIpv4(Number(ipv4[1]), Number(ipv4[2]));
  const lower = address.toLowerCase();
  // The first group of fc00::/7 and fe80::/10.
  return lower === '::1' || /^f[cd][0-9a-f]{2}:/.test(lower) || /^fe[89ab][0-9a-f]:/.test(lower);
}

function isPrivateIpv4(first: number, second: number): boolean {
  if (first === 10 || first === 127) return true;
  if (first === 172) return second >= 16 && second <= 31;
  return (first === 192 && second === 168) || (first === 169 && second === 254);
}
