// A login has worked if the answer has a token, whatever its status.

import React, { useState } from 'react';
import { Link, Redirect } from 'react-router-dom';
import { Form } from '../form.jsx';
import { API, keep, useAuth } from '../session.js';

const FIELDS = [['username', 'Username', 'text'], ['password', 'Password', 'password']];

export function LogIn() {
  const [known] = useAuth();
  const [wrong, setWrong] = useState('');
  async function logIn(values) {
    const answer = await fetch(`${API}/api/login`, { method: 'post', body: JSON.stringify(values) });
    const said = await answer.json();
    if (said.access_token) keep(said);
    else setWrong('Name and password do not fit.');
  }
  if (known) return <Redirect to="/secret" />;
  return (
    <Form title="Login" fields={FIELDS} send="Log in" wrong={wrong} onSend={logIn}>
      <Link to="/reset">No password any more?</Link>
    </Form>
  );
}
