// Owns the secrets in the URLs of links: a mailed token, an invitation. It removes them from the
// address bar before other code runs, so that no history, bookmark or screenshot has them, and keeps
// them in memory. Must be imported before the router, which reads the URL.

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
