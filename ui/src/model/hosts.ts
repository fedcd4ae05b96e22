// A host's network adapters: which is the management network's, and which all of several hosts have.
import type { InventoryHost } from '../api/cluster';
import type { Host } from './types';

// A Host resource names its host by id or, written by hand, by name.
export const configOfHost = (configured: Host[], hosts: InventoryHost[], id: string): Host | undefined =>
  configured.find((each) => each.spec.id === id || (!each.spec.id && each.spec.name === hosts.find((host) => host.id === id)?.name));

const number = (ip: string): number | undefined => {
  const parts = ip.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !(part >= 0 && part <= 255))) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
};

// Bits above 2^31 make this unfit for &, so whole numbers are divided instead.
function sameSubnet(a: string, b: string, mask: string): boolean {
  const [x, y, m] = [number(a), number(b), number(mask)];
  if (x === undefined || y === undefined || m === undefined) return false;
  const size = 2 ** 32 - m;
  return Math.floor(x / size) === Math.floor(y / size);
}

export function managementAdapter(host: InventoryHost) {
  const ip = host.managementServerIp;
  return host.networkAdapters?.find((each) => !!ip && sameSubnet(each.ipAddress, ip, each.subnetMask)) ?? host.networkAdapters?.[0];
}

export function commonAdapters(hosts: InventoryHost[]): string[] {
  const [first, ...rest] = hosts.map((host) => new Set((host.networkAdapters ?? []).filter((each) => each.ipAddress).map((each) => each.name)));
  return [...(first ?? [])].filter((name) => rest.every((names) => names.has(name)));
}
