// Owns the list of the keys, in the order of the words that loadWords returns. The build makes a plain
// list of it, without the English words (build/words.ts).

import { en, type Key } from './en';

export const keys = Object.keys(en) as Key[];
