// Numbers and times as people read them. Sizes are binary (GiB); rates are binary per second.
const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function bytes(n: number): string {
  let unit = 0;
  while (Math.abs(n) >= 1024 && unit < units.length - 1) {
    n /= 1024;
    unit++;
  }
  return `${unit === 0 || n >= 100 ? Math.round(n) : n >= 10 ? trim(n.toFixed(1)) : trim(n.toFixed(2))} ${units[unit]}`;
}

const trim = (text: string): string => (text.includes('.') ? text.replace(/\.?0+$/, '') : text);

export const rate = (perSecond: number): string => `${bytes(perSecond)}/s`;

// "1 h 5 min", "3 min 20 s", "12 s": the two largest units.
export function duration(seconds: number): string {
  const s = Math.max(0, Math.round(seconds));
  if (s < 60) return `${s} s`;
  if (s < 3600) return join(Math.floor(s / 60), 'min', s % 60, 's');
  if (s < 86400) return join(Math.floor(s / 3600), 'h', Math.floor((s % 3600) / 60), 'min');
  return join(Math.floor(s / 86400), 'd', Math.floor((s % 86400) / 3600), 'h');
}

const join = (a: number, aUnit: string, b: number, bUnit: string): string => (b ? `${a} ${aUnit} ${b} ${bUnit}` : `${a} ${aUnit}`);

// "00:04:09", as a clock that runs.
export function clock(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  const two = (n: number): string => String(n).padStart(2, '0');
  return `${two(Math.floor(s / 3600))}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`;
}

// Seconds between two times, the second being now when it has not come yet.
export function elapsed(start: string | undefined, end: string | undefined, now: number): number | undefined {
  if (!start) return undefined;
  return ((end ? Date.parse(end) : now) - Date.parse(start)) / 1000;
}

export function time(text: string | undefined): string {
  return text ? new Date(text).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' }) : '';
}

export const percent = (done: number, total: number): number => (total > 0 ? Math.min(100, Math.floor((done * 100) / total)) : 0);
