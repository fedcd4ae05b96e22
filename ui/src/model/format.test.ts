import { describe, expect, it } from 'vitest';
import { bytes, clock, duration, elapsed, percent, rate } from './format';

describe('formats', () => {
  it.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [10 * 1024 ** 3, '10 GiB'],
    [140.25 * 1024 ** 3, '140 GiB'],
    [100 * 1024 ** 2, '100 MiB'],
    [5 * 1024 ** 6, '5120 PiB'],
  ])('%d bytes are %s', (n, text) => expect(bytes(n)).toBe(text));

  it('writes rates', () => expect(rate(412 * 1024 ** 2)).toBe('412 MiB/s'));

  it.each([
    [0, '0 s'],
    [59.4, '59 s'],
    [60, '1 min'],
    [200, '3 min 20 s'],
    [3900, '1 h 5 min'],
    [86400 * 2 + 3600, '2 d 1 h'],
    [-5, '0 s'],
  ])('%d seconds are %s', (s, text) => expect(duration(s)).toBe(text));

  it('runs a clock', () => expect(clock(3725)).toBe('01:02:05'));
  it('takes the time that has passed until now when there is no end', () => {
    const now = Date.parse('2026-01-01T00:00:10Z');
    expect(elapsed('2026-01-01T00:00:00Z', undefined, now)).toBe(10);
    expect(elapsed('2026-01-01T00:00:00Z', '2026-01-01T00:00:04Z', now)).toBe(4);
    expect(elapsed(undefined, undefined, now)).toBeUndefined();
  });
  it('never shows more than all, nor divides by nothing', () => {
    expect(percent(5, 4)).toBe(100);
    expect(percent(0, 0)).toBe(0);
    expect(percent(999, 1000)).toBe(99);
  });
});
