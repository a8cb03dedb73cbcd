// The page of that link. The token goes along twice, as bearer and in the body; the answer logs in.

import React, { useState } from 'react';
import { Redirect } from 'react-router-dom';
import { Form, linkedHeaders, tell, useLinked } from '../form.jsx';
import { API, keep } from '../session.js';

const FIELDS = [['password', 'New password', 'password'], ['again', 'The same again', 'password']];

export function NewPassword() {
  const token = useLinked();
  const [wrong, setWrong] = useState('');
  const [done, setDone] = useState(false);
  async function change({ password, again }) {
    if (password !== again) return setWrong('The two differ.');
    const answer = await fetch(`${API}/api/reset_finalize`, {
      method: 'post',
      headers: linkedHeaders(token),
      body: JSON.stringify({ password, token }),
    });
    const said = await answer.json();
    if (!said.access_token) return tell('error', 'The password stays as it was.');
    tell('success', 'The new password counts.');
    keep(said);
    return setDone(true);
  }
  if (done) return <Redirect to="/" />;
  return <Form title="New password" fields={FIELDS} send="Set it" wrong={wrong} onSend={change} />;
}
