// Only inside lictor's repository, where `lictor-auth` is a link to the folder web/src/auth: it takes React
// from here, and the development server may read it. An app elsewhere needs none of this.

import { realpathSync } from 'node:fs';
import { defineConfig } from 'vite';

export default defineConfig({
  resolve: { dedupe: ['react'] },
  server: { fs: { allow: ['.', realpathSync('node_modules/lictor-auth')] } },
});
