// Shows the message of the protected endpoint. The logout is the browser's alone: the server does not hear of it.

import React, { useEffect, useState } from 'react';
import { API, authFetch, forget } from '../session.js';

export function Secret() {
  const [message, setMessage] = useState('');
  useEffect(() => {
    authFetch(`${API}/api/protected`).then(async answer => {
      if (answer.status === 401) setMessage('You may not.');
      else setMessage((await answer.json()).message ?? '');
    });
  }, []);
  return <main><output>{message}</output> <button onClick={() => forget()}>Log out</button></main>;
}
