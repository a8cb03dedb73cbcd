import { defineConfig } from 'vite';
import { embed } from './build/embed.ts';
import { preload } from './build/preload.ts';
import { words } from './build/words.ts';

// The app is written for React and built with Preact, which has the same interface.
const preact = [
  ['react/jsx-runtime', 'preact/jsx-runtime'],
  ['react/jsx-dev-runtime', 'preact/jsx-runtime'],
  ['react-dom/client', 'preact/compat/client'],
  ['react-dom', 'preact/compat'],
  ['react', 'preact/compat'],
] as const;

// index.html names one small script. It loads the app with the pages around the login, and the words of
// one language; all other pages are loaded when they are shown. Nothing is inline, which the
// Content-Security-Policy forbids. A module belongs to the first of these chunks that needs it.
const chunks: [name: string, test: RegExp][] = [
  ['start', /\/src\/start\.ts$/],
  ['app', /\/src\/main\.tsx$/],
  // What several of the later ones share.
  ['parts', /\/src\/(ui\/|download\.ts$)/],
  ['admin', /\/src\/pages\/admin\//],
  ['account', /\/src\/pages\/(account\/|required-factor|login-again)/],
  ['links', /\/src\/pages\/(finalize|reset-finalize|setup)/],
];

export default defineConfig({
  root: import.meta.dirname,
  plugins: [words(), preload(), embed()],
  resolve: {
    alias: preact.map(([find, replacement]) => ({ find: new RegExp(`^${find}$`), replacement })),
  },
  build: {
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: chunks.map(([name, test], at) => ({ name, test, priority: chunks.length - at })),
        },
      },
    },
  },
  server: {
    proxy: { '/api': 'http://127.0.0.1:5000', '/.well-known': 'http://127.0.0.1:5000', '/brand': 'http://127.0.0.1:5000' },
  },
});
