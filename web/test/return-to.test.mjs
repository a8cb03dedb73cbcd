// Owns the tests of the URL to which a login returns: how it stands in ours, and which one a link may have.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runnerImport } from 'vite';

const file = join(import.meta.dirname, '../src/return-to.ts');
const { returnIn, keepingReturn, withFragment, isPlace } = (await runnerImport(file, { configFile: false, logLevel: 'error' })).module;
const ORIGIN = 'https://login.example.org';

test('the URL is read from the query, encoded or as nginx writes it', () => {
  const wiki = 'https://wiki.example.org';
  for (const [search, expected] of [
    ['', null],
    ['?other=1', null],
    ['?noreturn=x', null],
    ['?return=%2Faccount', '/account'],
    [`?return=${encodeURIComponent(`${wiki}/a?b=1&c=%20#d`)}`, `${wiki}/a?b=1&c=%20#d`],
    [`?return=${encodeURIComponent(`${wiki}/a`)}&lang=pt`, `${wiki}/a`],
    // Unencoded, the rest of the query belongs to it.
    [`?return=${wiki}/a?b=1&c=%20&token=x+y`, `${wiki}/a?b=1&c=%20&token=x+y`],
    [`?lang=pt&return=${wiki}/?return=https://other.example.org/`, `${wiki}/?return=https://other.example.org/`],
    [`?return=/a?b=1&c=2`, '/a?b=1'],
    ['?return=javascript:alert(1)', 'javascript:alert(1)'],
    // The server sees that it is too long.
    [`?return=${'x'.repeat(5000)}`, 'x'.repeat(2049)],
  ]) {
    assert.equal(returnIn(search, ORIGIN), expected, search);
  }
});

test('nothing, the start page and the login page are no URL to return to', () => {
  for (const to of ['', '/', '/login', '/login?return=%2Faccount', '/#content', ORIGIN, `${ORIGIN}/`, `${ORIGIN}/login?a=b`]) {
    assert.equal(returnIn(`?return=${encodeURIComponent(to)}`, ORIGIN), null, to);
  }
  assert.equal(returnIn(`?return=${ORIGIN}/login?a=b`, ORIGIN), null, 'unencoded');
  for (const to of ['/account', '/loginx', '/login/x', '//login', `${ORIGIN}/account`, `${ORIGIN}.evil.example/`, `${ORIGIN}:8443/`, `/${ORIGIN}`]) {
    assert.equal(returnIn(`?return=${encodeURIComponent(to)}`, ORIGIN), to);
  }
});

test('the fragment of the first page is kept, unless the URL has one', () => {
  for (const [url, fragment, expected] of [
    ['https://wiki.example.org/a?b=1', '#/c?d', 'https://wiki.example.org/a?b=1#/c?d'],
    ['https://wiki.example.org/', '', 'https://wiki.example.org/'],
    ['https://wiki.example.org/#own', '#other', 'https://wiki.example.org/#own'],
    ['https://wiki.example.org/', '#content', 'https://wiki.example.org/'],
    ['https://wiki.example.org/', '#@evil.example/', 'https://wiki.example.org/#@evil.example/'],
    ['/account', '#x', '/account#x'],
  ]) {
    assert.equal(withFragment(url, fragment), expected);
  }
});

test('what a page hands on is read as the same URL', () => {
  assert.equal(keepingReturn('/register', null), '/register');
  for (const to of ['/a?b=1&c=2', 'https://wiki.example.org/a?b=1&c=%20#d', 'x'.repeat(3000)]) {
    assert.equal(returnIn(new URL(keepingReturn('/login', to), 'http://localhost').search, ORIGIN), to.slice(0, 2049));
  }
});

test('a link leads to pages only', () => {
  for (const [url, expected] of [
    ['https://wiki.example.org/', true],
    ['HTTP://wiki.example.org:8080/', true],
    ['/account', true],
    ['javascript:alert(1)', false],
    ['data:text/html,x', false],
    ['//other.example.org/', false],
    ['/\\other.example.org/', false],
    ['https:/account', false],
    [' https://wiki.example.org/', false],
    ['', false],
  ]) {
    assert.equal(isPlace(url), expected, url);
  }
});
