// Owns what index.html says about chunks that it does not name: the app is loaded at the same time as
// the small script that starts it.

import type { Plugin } from 'vite';

// The chunk that every page needs; with it, those that it imports.
const APP = 'app';

// Vite wraps each import() in a function that loads the styles of the chunk first. Ours have none.
const HELPER = '\0vite/preload-helper.js';

export function preload(): Plugin {
  return {
    name: 'preload',
    apply: 'build',
    enforce: 'pre',
    load(id) {
      return id === HELPER ? 'export const __vitePreload = load => load();' : undefined;
    },
    transformIndexHtml: {
      order: 'post',
      handler(html, { bundle = {} }) {
        const app = Object.values(bundle).find(each => each.type === 'chunk' && each.name === APP);
        if (app?.type !== 'chunk') throw new Error(`preload: no chunk ${APP}`);
        const files = [app.fileName, ...app.imports].filter(file => !html.includes(file));
        return files.map(file => ({
          tag: 'link',
          attrs: { rel: 'modulepreload', crossorigin: true, href: `/${file}` },
          injectTo: 'head',
        }));
      },
    },
  };
}
