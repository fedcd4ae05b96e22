// The rules for what people type: each returns which text explains the mistake, or undefined when there is none.
export type Mistake =
  | 'required'
  | 'nameTooLong'
  | 'nameForm'
  | 'nameTaken'
  | 'nameReserved'
  | 'host'
  | 'userForm'
  | 'tooLong'
  | 'url'
  | 'fingerprint'
  | 'certificate'
  | 'past'
  | 'yaml';

const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;

export function nameMistake(name: string, taken: Iterable<string> = []): Mistake | undefined {
  if (!name) return 'required';
  if (name.length > 63) return 'nameTooLong';
  if (!label.test(name)) return 'nameForm';
  for (const other of taken) if (other === name) return 'nameTaken';
  return undefined;
}

// Plans also have a page each, and one page is called "create".
export const planNameMistake = (name: string, taken: Iterable<string> = []): Mistake | undefined =>
  name === 'create' ? 'nameReserved' : nameMistake(name, taken);

const ipv4 = /^(\d{1,3}\.){3}\d{1,3}$/;
const ipv6 = /^\[?[0-9a-fA-F:]*:[0-9a-fA-F:.]*\]?$/;
const dns = /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?)+$/;

// A host as "name.domain", an address, or "localhost", each with or without a port.
export function hostMistake(host: string): Mistake | undefined {
  if (!host) return 'required';
  if (host.length > 253) return 'tooLong';
  const [, bare, port] = /^(\[.*\]|[^:]*|.*:.*:.*?)(?::(\d{1,5}))?$/.exec(host) ?? [];
  if (bare === undefined || Number(port ?? 0) > 65535) return 'host';
  if (ipv4.test(bare)) return bare.split('.').every((n) => Number(n) <= 255) ? undefined : 'host';
  return bare === 'localhost' || dns.test(bare) || ipv6.test(bare) ? undefined : 'host';
}

export function userMistake(user: string): Mistake | undefined {
  if (!user) return 'required';
  if (/\s/.test(user)) return 'userForm';
  return user.length > 320 ? 'tooLong' : undefined;
}

export const passwordMistake = (password: string): Mistake | undefined =>
  !password ? 'required' : password.length > 256 ? 'tooLong' : undefined;

export function urlMistake(text: string): Mistake | undefined {
  if (!text) return 'required';
  try {
    return new URL(text).protocol === 'https:' ? undefined : 'url';
  } catch {
    return 'url';
  }
}

export const certificateMistake = (pem: string): Mistake | undefined =>
  !pem.trim() ? 'required' : /-----BEGIN CERTIFICATE-----[\s\S]+-----END CERTIFICATE-----/.test(pem) ? undefined : 'certificate';

export const fingerprintMistake = (text: string): Mistake | undefined =>
  /^([0-9a-fA-F]{2}:){15}([0-9a-fA-F]{2}:){0,16}[0-9a-fA-F]{2}$/.test(text) && [47, 59, 95].includes(text.length) ? undefined : 'fingerprint';

// "copy-of-X", then "copy-of-X-1", "copy-of-X-2" …, never longer than a name may be.
export function copyName(name: string, taken: Iterable<string>): string {
  const used = new Set(taken);
  const base = `copy-of-${name}`.slice(0, 59).replace(/-+$/, '');
  for (let n = 0; ; n++) {
    const candidate = n === 0 ? base : `${base}-${n}`;
    if (!used.has(candidate)) return candidate;
  }
}
