import { describe, expect, it } from 'vitest';
import { RateMeter, stalled_after_ms } from './rate';

describe('the rate meter', () => {
  it('knows nothing before two samples that are apart', () => {
    const meter = new RateMeter();
    meter.add(0, 0);
    expect(meter.rate()).toBeUndefined();
    meter.add(100, 500);
    expect(meter.rate()).toBeUndefined();
  });

  it('gives bytes per second and what is left', () => {
    const meter = new RateMeter();
    for (let s = 0; s <= 10; s++) meter.add(s * 1000, s * 1000);
    expect(meter.rate()).toBe(1000);
    expect(meter.left(20_000)).toBe(10);
  });

  it('forgets what is older than its window', () => {
    const meter = new RateMeter();
    for (let s = 0; s <= 60; s++) meter.add(s <= 30 ? s * 1000 : 30_000 + (s - 30) * 10, s * 1000);
    expect(meter.rate()).toBeCloseTo(10);
  });

  it('starts anew when a disk is read anew', () => {
    const meter = new RateMeter();
    meter.add(1000, 0);
    meter.add(2000, 2000);
    meter.add(0, 4000);
    expect(meter.rate()).toBeUndefined();
    meter.add(500, 6000);
    expect(meter.rate()).toBe(250);
  });

  it('says when nothing moves', () => {
    const meter = new RateMeter();
    meter.add(5, 1000);
    meter.add(5, 2000);
    expect(meter.stalled(2000)).toBe(0);
    expect(meter.stalled(1000 + stalled_after_ms)).toBe(stalled_after_ms);
    meter.add(6, 1000 + stalled_after_ms);
    expect(meter.stalled(1000 + stalled_after_ms)).toBe(0);
  });

  it('cannot tell the time left while nothing moves', () => {
    const meter = new RateMeter();
    meter.add(5, 0);
    meter.add(5, 5000);
    expect(meter.rate()).toBe(0);
    expect(meter.left(10)).toBeUndefined();
  });
});
