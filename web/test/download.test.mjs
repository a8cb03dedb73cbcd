// Owns the test that the text of a saved file can be read for a while after the click.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const file = join(import.meta.dirname, '../src/download.ts');
const { download } = (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;

test('the text can be read for a minute after the click, and not for ever', t => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const revoked = t.mock.method(URL, 'revokeObjectURL');
  const link = { click: t.mock.fn() };
  globalThis.document = { createElement: () => link };
  t.after(() => delete globalThis.document);

  download('codes.txt', 'text/plain', 'one');
  assert.equal(link.click.mock.callCount(), 1);
  assert.equal(link.download, 'codes.txt');
  t.mock.timers.tick(59_000);
  assert.equal(revoked.mock.callCount(), 0);
  t.mock.timers.tick(1_000);
  assert.deepEqual(revoked.mock.calls.map(call => call.arguments), [[link.href]]);
});
