// React 16.8 has no `react/jsx-runtime`, so JSX becomes calls of React.createElement.

import { readFileSync } from 'node:fs';
import { defineConfig } from 'vite';

const { dependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url)));

export default defineConfig({
  base: './',
  oxc: { jsx: { runtime: 'classic' } },
  // All of them are bundled before the first page, so that no page is loaded again for one that is found late.
  optimizeDeps: { noDiscovery: true, include: Object.keys(dependencies) },
});
