// The URL of the API, and the token, which react-token-auth keeps and refreshes.

import { createAuthProvider } from 'react-token-auth';

// Empty: the origin of the page.
export const API = import.meta.env.VITE_API ?? '';

async function renew(kept) {
  const answer = await fetch(`${API}/api/refresh`, { method: 'POST', body: kept.access_token });
  return answer.json();
}

export const [useAuth, authFetch, keep, forget] = createAuthProvider({
  accessTokenKey: 'access_token',
  onUpdateToken: renew,
});
