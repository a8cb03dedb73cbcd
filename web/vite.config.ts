import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { embed } from './build/embed.ts';

// One page, one script, one style sheet: nothing is loaded later, and nothing is inline, which the
// Content-Security-Policy forbids.
export default defineConfig({
  root: import.meta.dirname,
  plugins: [react(), embed()],
  build: {
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:5000', '/.well-known': 'http://127.0.0.1:5000' },
  },
});
