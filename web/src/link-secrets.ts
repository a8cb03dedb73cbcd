// Owns the secrets that links bring: a mailed token, an invitation. They are taken out of the
// address bar before anything else runs, so that they are in no history, bookmark or screenshot,
// and live in memory only. Must be imported before the router, which reads the address.

const query = new URLSearchParams(location.search);

export const linkSecrets = {
  token: query.get('token'),
  invitation: query.get('invitation'),
};

if (query.has('token') || query.has('invitation')) {
  query.delete('token');
  query.delete('invitation');
  const rest = query.size > 0 ? `?${query}` : '';
  history.replaceState(null, '', location.pathname + rest);
}
