// The page of the link in the mail after a registration. It asks after every render, so once more after the
// answer that it shows, with a link that is used up by then; and it has no words for a link that is refused.

import React, { useEffect, useState } from 'react';
import { Link } from 'react-router-dom';
import { linkedHeaders, useLinked } from '../form.jsx';
import { API, keep } from '../session.js';

export function Finalize() {
  const token = useLinked();
  const [name, setName] = useState('');
  useEffect(() => {
    fetch(`${API}/api/finalize`, { method: 'get', headers: linkedHeaders(token) })
      .then(answer => answer.json())
      .then(said => {
        if (!said.access_token) return;
        keep(said);
        setName(said.user);
      });
  });
  if (!name) return <h1>A moment …</h1>;
  return <main><h1>Good to see you, {name}</h1><Link to="/">Go in</Link></main>;
}
