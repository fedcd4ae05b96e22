// Light, dark, or what the system says. Kept in the browser; it is the only thing kept there besides "do not show again".
export type Theme = 'light' | 'dark' | 'system';

const key = 'gantry-theme';
const darkSystem = window.matchMedia?.('(prefers-color-scheme: dark)');

export function theme(): Theme {
  const kept = read(key);
  return kept === 'light' || kept === 'dark' ? kept : 'system';
}

export function setTheme(value: Theme): void {
  write(key, value);
  applyTheme();
}

export function applyTheme(): void {
  const dark = theme() === 'dark' || (theme() === 'system' && !!darkSystem?.matches);
  document.documentElement.classList.toggle('pf-v6-theme-dark', dark);
}

darkSystem?.addEventListener('change', applyTheme);

// Storage may be forbidden to pages; then nothing is remembered.
export function read(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function write(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Not remembered.
  }
}
