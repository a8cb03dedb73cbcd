// Asks for a link that sets a new password. 404 would be an address without an account, 403 one that is not
// confirmed yet.

import React, { useState } from 'react';
import { Redirect } from 'react-router-dom';
import { Form, tell } from '../form.jsx';
import { API } from '../session.js';

const FIELDS = [['email', 'E-mail', 'text']];
const WORDS = { 403: 'This address waits to be confirmed.', 404: 'Nobody has this address.' };

export function Forgot() {
  const [wrong, setWrong] = useState('');
  const [done, setDone] = useState(false);
  async function ask({ email }) {
    const { status } = await fetch(`${API}/api/reset`, { method: 'post', body: JSON.stringify({ email }) });
    if (status !== 200) return setWrong(WORDS[status] ?? '');
    tell('success', `Look for a mail to ${email}.`);
    return setDone(true);
  }
  if (done) return <Redirect to="/" />;
  return <Form title="Forgotten password" fields={FIELDS} send="Ask for a link" wrong={wrong} onSend={ask} />;
}
