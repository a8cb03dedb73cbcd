// Owns the path in the address bar: links, back and forward. Knows no page.

import { useSyncExternalStore, type AnchorHTMLAttributes, type MouseEvent } from 'react';

export interface Address {
  path: string;
  query: URLSearchParams;
}

const listeners = new Set<() => void>();
const followers = new Set<() => void>();
let current = read();
// The path of the page from which "Back" or "Forward" led to the present one.
let cameFrom: string | null = null;

function read(): Address {
  // A path with a slash at the end is the same page.
  const path = location.pathname.replace(/(.)\/+$/, '$1');
  return { path, query: new URLSearchParams(location.search) };
}

function changed() {
  const { path } = current;
  current = read();
  if (current.path !== path) for (const follower of followers) follower();
  for (const listener of listeners) listener();
}

addEventListener('popstate', () => {
  cameFrom = current.path;
  changed();
});

export function pathBefore(): string | null {
  return cameFrom;
}

export function navigate(to: string, { replace = false } = {}) {
  if (to === location.pathname + location.search) return;
  const { path } = current;
  cameFrom = null;
  history[replace ? 'replaceState' : 'pushState'](null, '', to);
  changed();
  // Another query of the same page, such as a filter, leaves the view where it is.
  if (current.path !== path) scrollTo(0, 0);
}

// Calls `follower` after each change of the path.
export function onNavigation(follower: () => void) {
  followers.add(follower);
}

export function useAddress(): Address {
  return useSyncExternalStore(subscribe, () => current);
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

// A real link: it can be opened in a new tab, and all keys for links work. `onClick` is called only if
// the link is followed in this tab.
export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>) {
  function follow(event: MouseEvent<HTMLAnchorElement>) {
    const elsewhere = event.metaKey || event.ctrlKey || event.shiftKey || event.altKey;
    if (event.defaultPrevented || elsewhere || event.button !== 0) return;
    onClick?.(event);
    event.preventDefault();
    navigate(to);
  }
  return <a href={to} onClick={follow} {...rest} />;
}
