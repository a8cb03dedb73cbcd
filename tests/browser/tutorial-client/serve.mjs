// Owns the client of the tutorial for tests: builds it, and serves it behind Vite's proxy. Needs `npm ci` in
// this folder. Knows nothing of the tests, and of the server that the client asks.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, createServer } from 'vite';
import { OTHER, withUrl } from '../react-lan.mjs';

const dir = mkdtempSync(join(tmpdir(), 'lictor-tutorial-client-'));
const running = [];
// The build of each edition, for the URL that stands for others.
const builds = {};

process.on('exit', () => rmSync(dir, { recursive: true, force: true }));

// Builds the client of the tutorial's `edition` ("first" or "later") for the API at this URL; returns the folder.
export async function buildClient(api, edition) {
  builds[edition] ??= buildForOthers(edition);
  return withUrl(await builds[edition], api, mkdtempSync(join(dir, 'dist-')));
}

async function buildForOthers(edition) {
  const outDir = mkdtempSync(join(dir, 'dist-'));
  await build({ ...settings(OTHER, edition), build: { outDir, emptyOutDir: true } });
  return outDir;
}

// Serves the client with Vite at this port of 127.0.0.1, which hands /api on to the server at this URL.
export async function serveClient(port, api, edition) {
  const server = { host: '127.0.0.1', port, strictPort: true, proxy: { '/api': api } };
  const vite = await createServer({ ...settings('', edition), cacheDir: mkdtempSync(join(dir, 'cache-')), server });
  running.push(vite);
  await vite.listen();
}

export async function stopClients() {
  await Promise.all(running.splice(0).map(vite => vite.close()));
}

function settings(api, edition) {
  const define = { 'import.meta.env.VITE_API': JSON.stringify(api), 'import.meta.env.VITE_EDITION': JSON.stringify(edition) };
  return { root: import.meta.dirname, logLevel: 'warn', define };
}
