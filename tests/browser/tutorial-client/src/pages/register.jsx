// The tutorial's first edition finds a token in the answer and is logged in. Its later one reads only the
// status: 201, a mail is on its way; 303, the address is known; anything else, the name is taken.

import React, { useState } from 'react';
import { Redirect } from 'react-router-dom';
import { Form, tell } from '../form.jsx';
import { API, keep, useAuth } from '../session.js';

const FIELDS = [['username', 'Username', 'text'], ['email', 'E-mail', 'text'], ['password', 'Password', 'password']];
const TAKEN = 'Somebody has this name.';
const first = import.meta.env.VITE_EDITION === 'first';

export function Register() {
  const [known] = useAuth();
  const [wrong, setWrong] = useState('');
  const [done, setDone] = useState(false);

  async function register(values) {
    const answer = await fetch(`${API}/api/registration`, { method: 'post', body: JSON.stringify(values) });
    if (first) return byToken(await answer.json());
    return byStatus(answer.status, values.email);
  }

  function byToken(said) {
    if (said.access_token) keep(said);
    else setWrong(TAKEN);
  }

  function byStatus(status, email) {
    if (status === 201) {
      tell('success', `Look for a mail to ${email}.`);
      setDone(true);
    } else setWrong(status === 303 ? 'Somebody has this address.' : TAKEN);
  }

  if (known) return <Redirect to="/secret" />;
  if (done) return <Redirect to="/" />;
  return <Form title="Registration" fields={FIELDS} send="Register" wrong={wrong} onSend={register} />;
}
