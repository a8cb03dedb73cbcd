// `auth` is lictor's own module. An app elsewhere has a copy of it in its `src` and needs none of this.

import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

const auth = fileURLToPath(new URL('../../web/src/auth', import.meta.url));

export default defineConfig({
  resolve: { alias: { auth }, dedupe: ['react'] },
  server: { fs: { allow: ['.', auth] } },
});
