// How fast bytes come, from what progress was when: a window of the last half minute, so that a burst or a pause does not
// make the figure jump. A meter that has seen nothing move for two minutes says that it is stalled.
const window_ms = 30_000;
const shortest_ms = 1_500;
export const stalled_after_ms = 120_000;

interface Sample {
  at: number;
  done: number;
}

export class RateMeter {
  private samples: Sample[] = [];
  private movedAt: number | undefined;

  // done may fall: a disk that is read anew starts a new measurement.
  add(done: number, at: number): void {
    const last = this.samples[this.samples.length - 1];
    if (last && done < last.done) this.samples = [];
    if (!last || done !== last.done) this.movedAt = at;
    if (last && at <= last.at) return;
    this.samples.push({ at, done });
    while (this.samples.length > 2 && at - this.samples[1]!.at >= window_ms) this.samples.shift();
  }

  // Bytes per second, or undefined while too little is known.
  rate(): number | undefined {
    const first = this.samples[0];
    const last = this.samples[this.samples.length - 1];
    if (!first || !last || last.at - first.at < shortest_ms) return undefined;
    return ((last.done - first.done) * 1000) / (last.at - first.at);
  }

  // Seconds until total, or undefined when nobody can tell.
  left(total: number): number | undefined {
    const rate = this.rate();
    const last = this.samples[this.samples.length - 1];
    if (!rate || !last) return undefined;
    return Math.max(0, (total - last.done) / rate);
  }

  // For how long nothing has moved, in milliseconds; 0 until it is long enough to speak of.
  stalled(now: number): number {
    if (this.movedAt === undefined || now - this.movedAt < stalled_after_ms) return 0;
    return now - this.movedAt;
  }
}
