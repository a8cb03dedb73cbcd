// The start page greets with the server's own words, or leads on.

import React, { useEffect, useState } from 'react';
import { Link, Redirect } from 'react-router-dom';
import { API, useAuth } from '../session.js';

export function Home() {
  const [known] = useAuth();
  const [greeting, setGreeting] = useState('');
  useEffect(() => {
    // Without the slash at the end, which the server redirects.
    fetch(`${API}/api`).then(answer => answer.json()).then(said => setGreeting(`Hello ${said.Hello}`));
  }, []);
  if (known) return <Redirect to="/secret" />;
  return (
    <main>
      <output>{greeting}</output> <Link to="/registration">To the registration</Link> <Link to="/login">To the login</Link>
    </main>
  );
}
