import { describe, expect, it } from 'vitest';
import { certificateMistake, copyName, fingerprintMistake, hostMistake, nameMistake, planNameMistake, urlMistake, userMistake } from './names';

describe('what people type', () => {
  it.each([
    ['', 'required'],
    ['a', undefined],
    ['web-1', undefined],
    ['Web', 'nameForm'],
    ['-a', 'nameForm'],
    ['a.b', 'nameForm'],
    ['x'.repeat(64), 'nameTooLong'],
    ['used', 'nameTaken'],
  ])('name %j: %s', (name, mistake) => expect(nameMistake(name, ['used'])).toBe(mistake));

  it('keeps the name of a page', () => expect(planNameMistake('create')).toBe('nameReserved'));

  it.each([
    ['vcenter.example.com', undefined],
    ['10.0.0.1', undefined],
    ['10.0.0.1:8989', undefined],
    ['127.0.0.300', 'host'],
    ['fe80::1', undefined],
    ['[fe80::1]:443', undefined],
    ['vcenter', 'host'],
    ['localhost:8989', undefined],
    ['a b.c', 'host'],
    ['https://x.y', 'host'],
    ['', 'required'],
  ])('host %j: %s', (host, mistake) => expect(hostMistake(host)).toBe(mistake));

  it('takes no blanks in a user name', () => {
    expect(userMistake('a b')).toBe('userForm');
    expect(userMistake('administrator@vsphere.local')).toBeUndefined();
  });
  it('takes only https', () => {
    expect(urlMistake('http://x.y')).toBe('url');
    expect(urlMistake('https://x.y:6443')).toBeUndefined();
    expect(urlMistake('x')).toBe('url');
  });
  it('knows fingerprints by their length', () => {
    const pairs = (n: number) => Array(n).fill('AB').join(':');
    expect([16, 20, 32].map((n) => fingerprintMistake(pairs(n)))).toEqual([undefined, undefined, undefined]);
    expect(fingerprintMistake(pairs(17))).toBe('fingerprint');
  });
  it('knows a certificate when it sees one', () => {
    expect(certificateMistake('-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----')).toBeUndefined();
    expect(certificateMistake('hello')).toBe('certificate');
  });
  it('names copies', () => {
    expect(copyName('web', [])).toBe('copy-of-web');
    expect(copyName('web', ['copy-of-web', 'copy-of-web-1'])).toBe('copy-of-web-2');
    expect(copyName('x'.repeat(63), []).length).toBeLessThanOrEqual(63);
  });
});
