// Owns what apps import from `lictor-auth`. Makes nothing when it is loaded, so that a bundler leaves out
// what an app does not use.

import { createAuthIn } from './auth.js';
import { browser } from './environment.js';
import type { Auth, AuthOptions } from './types.js';

export { ApiError, NetworkError } from './errors.js';
export type * from './types.js';

/** Makes the Auth of an app; call it once, at module level. Reads the storage immediately, so the first `state` is correct. */
export function createAuth(options: AuthOptions = {}): Auth {
  return createAuthIn(browser(), options);
}
