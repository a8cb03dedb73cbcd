// Owns the URL to which a login returns, in the query of our own URL. The server decides whether it is
// an address of this site.

// Longer ones are refused by the server, which need not see the rest.
const MOST = 2049;

// A login without a URL to return to ends on the start page.
const OWN = ['', '/', '/login'];

export function returnHere(): string | null {
  return returnIn(location.search, location.origin);
}

// The URL after `return=`; null without one, and for the start page and the login page of `origin`.
// nginx cannot encode it: if it begins with a scheme, it is taken as it is, with each & that follows.
export function returnIn(search: string, origin: string): string | null {
  const plain = /[?&]return=(https?:\/\/.*)$/i.exec(search)?.[1];
  const to = (plain ?? new URLSearchParams(search).get('return') ?? '').slice(0, MOST);
  const place = to.split(/[?#]/, 1)[0] ?? '';
  return OWN.includes(place.startsWith(origin) ? place.slice(origin.length) : place) ? null : to;
}

// The path of a page that leads to the same URL afterwards.
export function keepingReturn(path: string, to: string | null): string {
  return to === null ? path : `${path}?return=${encodeURIComponent(to)}`;
}

// The browser carries the fragment of the first page over the redirect to the login page. The server must
// not see it, so it is added after the server has answered. `#content` is of our link that skips the
// navigation.
export function withFragment(url: string, fragment: string): string {
  return url.includes('#') || fragment === '#content' ? url : url + fragment;
}

// `return-to` is part of the first chunk, so this is the fragment of the first page.
export const fragmentAtLoad = globalThis.location?.hash ?? '';

// Never a URL that the browser would run as a script, whatever the server says.
export function isPlace(url: string): boolean {
  return /^(https?:\/\/|\/(?![/\\]))/i.test(url);
}
