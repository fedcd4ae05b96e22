// How the console is bundled: hashed files below assets/ (kept by browsers for ever), nothing inlined (the server's
// Content-Security-Policy allows no data: script and no inline style), nothing from another host.
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [react()],
  build: { target: 'es2021', assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false }, chunkSizeWarningLimit: 2000 },
  test: { environment: 'jsdom', include: ['src/**/*.test.{ts,tsx}'], css: false },
});
