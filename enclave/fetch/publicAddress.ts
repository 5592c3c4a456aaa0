/**
 * Room: enclave/fetch. Which IP addresses a stranger's URI may make the worker connect to. Pure.
 * Source: IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890); 168.63.129.16 is Azure's host service.
 */
import { BlockList, isIPv4, isIPv6 } from "node:net";

const notPublic4 = new BlockList();
for (const [network, prefix] of [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["168.63.129.16", 32],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 3],
] as const) {
  notPublic4.addSubnet(network, prefix, "ipv4");
}

const global6 = new BlockList();
global6.addSubnet("2000::", 3, "ipv6");

/** Parts of 2000::/3 that carry an IPv4 address or are for documents, benchmarks and protocols. */
const notPublic6 = new BlockList();
for (const [network, prefix] of [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
] as const) {
  notPublic6.addSubnet(network, prefix, "ipv6");
}

/**
 * Whether an address is one of the public internet: not private, loopback, link-local, shared, multicast, reserved,
 * a cloud's metadata service, or an IPv6 form that carries an IPv4 address. Anything unreadable is not public.
 *
 * @param address - an IP literal, without brackets.
 * @example
 * isPublicAddress("169.254.169.254") // false
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !notPublic4.check(address, "ipv4");
  if (!isIPv6(address) || address.includes("%")) return false;
  return global6.check(address, "ipv6") && !notPublic6.check(address, "ipv6");
}
