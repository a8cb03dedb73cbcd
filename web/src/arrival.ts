// Owns whether a form of this page has just logged the user in, who may then be led elsewhere. A login in
// another tab, or a session that came from one, leads nowhere: somebody may be typing here.

import { auth } from './session';

// A page that asked for a login shows itself.
const STAYING = /^\/(account|admin|protected|setup)\b/;

let arriving = false;

auth.subscribe(() => {
  if (!auth.state.loggedIn) arriving = false;
});

export function arrive() {
  arriving = auth.state.loggedIn && !STAYING.test(location.pathname);
}

// Whether the user has just logged in; says so once.
export function takeArrival(): boolean {
  const before = arriving;
  arriving = false;
  return before;
}
