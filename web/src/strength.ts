// Owns the estimate of how hard a new password is to guess: the rules of the server as far as they can be
// known here, and how many guesses it takes somebody who tries words, names, years and rows of keys
// first. Only a hint: the server decides. Knows no page.

import type { Key } from './i18n';

export interface Strength {
  level: 'refused' | 'weak' | 'fair' | 'good';
  // Its words.
  key: Key;
}

// What people can know about the user, with the reason to refuse a password that is little more than that.
export interface Known {
  word: string;
  reason: Key;
}

// Powers of ten of the guesses.
const FAIR = 8;
const GOOD = 12;
// More characters make no difference.
const MOST = 64;

// The beginnings of most guesses, in several languages.
const COMMON = `password passwort passwd senha palavra passe contrasena motdepasse secret segredo admin root user
  usuario login welcome willkommen bemvindo bienvenue hello hallo letmein master dragon monkey princess princesa
  sunshine shadow football futebol baseball superman batman pokemon michael jordan charlie maria jesus amor love
  liebe schatz iloveyou benfica porto sporting brasil summer sommer verao winter spring autumn monday january
  changeme default test demo temp qwerty azerty abc`.split(/\s+/);
const ROWS = ['1234567890', 'qwertyuiop', 'qwertzuiop', 'azertyuiop', 'asdfghjkl', 'zxcvbnm', 'abcdefghijklmnopqrstuvwxyz'];
const TRAILS = [...ROWS, ...ROWS.map(reversed)];
const LEET: Record<string, string> = { 0: 'o', 1: 'i', 3: 'e', 4: 'a', 5: 's', 7: 't', '@': 'a', $: 's', '!': 'i' };

export function strengthOf(password: string, least: number, known: Known[]): Strength {
  const lower = password.normalize('NFC').toLowerCase();
  if ([...lower].length < least) return { level: 'refused', key: 'strength.short' };
  const little = known.find(({ word }) => word && isLittleMoreThan(lower, word.toLowerCase()));
  if (little) return { level: 'refused', key: little.reason };
  const guesses = magnitude(password.slice(0, MOST), known.flatMap(({ word }) => word.toLowerCase().split(/[^\p{L}\p{N}]+/u)));
  if (guesses < FAIR) return { level: 'weak', key: 'strength.weak' };
  return guesses < GOOD ? { level: 'fair', key: 'strength.fair' } : { level: 'good', key: 'strength.good' };
}

// As in the server's src/guard/password_rules.rs.
function isLittleMoreThan(password: string, word: string): boolean {
  return [word, reversed(word)].some(each => {
    const rest = password.replaceAll(each, '');
    return rest.length < 4 || (rest.length < 8 && !/\p{L}/u.test(rest));
  });
}

// The cheapest way to put the password together from parts, each with its power of ten.
function magnitude(password: string, known: string[]): number {
  const words = [...COMMON, ...known.filter(word => word.length > 2)];
  const best = [0, ...Array<number>(password.length).fill(Infinity)];
  for (let at = 0; at < password.length; at += 1) {
    for (const [length, cost] of parts(password, at, words)) {
      best[at + length] = Math.min(best[at + length] ?? Infinity, (best[at] ?? 0) + cost);
    }
  }
  return best[password.length] ?? 0;
}

// The parts that begin here: their lengths, and their powers of ten.
function parts(password: string, at: number, words: string[]): [number, number][] {
  const rest = password.slice(at);
  const lower = rest.toLowerCase();
  const plain = lower.replace(/[013457@$!]/g, sign => LEET[sign] ?? sign);
  const found: [number, number][] = [[1, single(rest)]];
  for (const word of words) if (lower.startsWith(word) || plain.startsWith(word)) found.push([word.length, 2]);
  for (const trail of TRAILS) {
    const length = common(lower, trail, trail.indexOf(lower[0] ?? ''));
    if (length > 2) found.push([length, 1.5]);
  }
  const year = /^(19|20)\d\d/.exec(rest);
  if (year) found.push([4, 2]);
  // The same again: aaaa, abcabc.
  const again = /^(.{1,8}?)\1+/.exec(lower);
  if (again?.[1] && again[0].length > 2) found.push([again[0].length, again[1].length * 1.2 + 0.5]);
  const run = /^\p{L}+/u.exec(rest)?.[0] ?? '';
  if (isWord(run)) found.push([run.length, Math.min(run.length * 1.2, 3.3 + run.length * 0.3)]);
  return found;
}

// A single character that fits in nowhere.
function single(rest: string): number {
  if (/^[\s_.,-]/.test(rest)) return 0.5;
  if (/^\d/.test(rest)) return 1;
  return /^\p{Lu}/u.test(rest) ? 1.6 : 1.4;
}

// As people write words: capitals at the beginning or throughout, and vowels now and then.
function isWord(run: string): boolean {
  return /^(\p{Lu}?[^\p{Lu}]+|\p{Lu}+)$/u.test(run) && !/[bcdfghjklmnpqrstvwxz]{5}/i.test(run);
}

// How many characters of `text` go along `trail` from there.
function common(text: string, trail: string, from: number): number {
  let length = 0;
  while (from >= 0 && length < text.length && text[length] === trail[from + length]) length += 1;
  return length;
}

function reversed(text: string): string {
  return [...text].reverse().join('');
}
