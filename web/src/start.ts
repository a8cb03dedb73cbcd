// Starts the app. Its first import removes the secrets of links from the URL. This small script is the
// only one that the page names: it loads the app and the words of the user's language at the same time.

import './link-secrets';
import './setup-secret';
import './styles/index.css';
import { preferred } from './i18n/languages';
import { loadWords } from './i18n/words';
import { answers, reloadOnce } from './reload';

const PAUSE_MS = 1_000;
// Longer than most loads take.
const SILENT_MS = 3_000;

const language = preferred();
document.documentElement.lang = language;

// Without the app, there are no words in another language.
const note = document.createElement('p');
note.className = 'intro';
note.lang = 'en';
note.setAttribute('role', 'status');
document.body.append(note);
const slow = setTimeout(() => (note.textContent = 'Loading. The server has not answered yet.'), SILENT_MS);

const load = (spoken = language) => Promise.all([import('./main'), loadWords(spoken), spoken]);

load().catch(async () => {
  while (!(await answers())) await new Promise(done => setTimeout(done, PAUSE_MS));
  // A reload gets the files of a new server. If it has not, the words of English may be there.
  return reloadOnce() ? undefined : load('en');
}).then(
  loaded => {
    if (!loaded) return;
    clearTimeout(slow);
    note.remove();
    const [{ start }, words, spoken] = loaded;
    start({ language: spoken, words });
  },
  () => {
    clearTimeout(slow);
    note.textContent = 'This page could not be loaded. Please reload it.';
  },
);
