// Owns the focus after its element is gone, as a form that was sent or a row that was deleted: it goes to
// what came in its place, else to what is next to it, else to the heading above. A form that is gone
// gives it back to the button that opened it. Without this, a browser gives it to the body, and the
// keyboard begins at the top of the page. Knows no page.

const FOCUSABLE = 'a[href], button, input:not([hidden], [type=hidden]), select, textarea, [tabindex="0"]';
// A whole page that is gone has another in its place, which sets the focus itself.
const PLACES = '.page section, .page, dialog';

let last: HTMLElement | null = null;
let before: HTMLElement | null = null;
// What took the place of a button that had the focus, and the words of the button.
const openers = new WeakMap<Node, string>();

addEventListener('focusin', event => {
  before = last;
  last = event.target instanceof HTMLElement ? event.target : null;
});

// A click beside all fields takes the focus away on purpose.
addEventListener('focusout', () => queueMicrotask(() => {
  if (last?.isConnected && isNowhere()) last = null;
}));

new MutationObserver(changes => {
  const lost = [last, before].find(each => each && !each.isConnected);
  const removal = lost && changes.find(each => each.target.isConnected && [...each.removedNodes].some(node => node.contains(lost)));
  if (!removal) return;
  const added = changes.filter(each => each.target === removal.target).flatMap(each => [...each.addedNodes]);
  if (lost.matches('button')) for (const node of added) openers.set(node, lost.textContent);
  if (lost !== last || !isNowhere()) return;
  const place = (removal.target as Element).closest<HTMLElement>(PLACES);
  if (!place) return;
  const words = [...removal.removedNodes].map(node => openers.get(node)).find(Boolean);
  const around = [...added, ...along(removal, 'nextSibling'), ...along(removal, 'previousSibling')].flatMap(focusable);
  (around.find(each => words && each.textContent === words) ?? around[0] ?? headingOf(place))?.focus();
}).observe(document.documentElement, { childList: true, subtree: true });

function isNowhere(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}

function along(removal: MutationRecord, direction: 'nextSibling' | 'previousSibling'): Node[] {
  const nodes = [];
  for (let node = removal[direction]; node; node = node[direction]) nodes.push(node);
  return nodes;
}

function focusable(node: Node): HTMLElement[] {
  if (!(node instanceof HTMLElement) || !node.isConnected) return [];
  const found = [...node.querySelectorAll<HTMLElement>(FOCUSABLE)];
  return [...(node.matches(FOCUSABLE) ? [node] : []), ...found].filter(each => each.checkVisibility());
}

function headingOf(place: HTMLElement): HTMLElement | null {
  const heading = place.querySelector<HTMLElement>('h1, h2');
  if (heading) heading.tabIndex = -1;
  return heading;
}
