// The smallest app of one's own that logs in with lictor, which is on another port of the same
// machine, or wherever VITE_LICTOR says when this is built ('' is: where this page comes from).

import { createAuth, type LogOutReason } from 'lictor-auth';
import { useAuth } from 'lictor-auth/react';
import { useState, type FormEvent } from 'react';
import { createRoot } from 'react-dom/client';

const api: string = import.meta.env.VITE_LICTOR ?? `http://${location.hostname}:5000`;
const auth = createAuth({ api });

const ENDED: Partial<Record<LogOutReason, string>> = {
  expired: 'You were logged in for a long time. Please log in again.',
  revoked: 'This session was ended elsewhere.',
  deactivated: 'Your account is not active any more.',
};

function App() {
  const { loggedIn, reason, offline } = useAuth(auth);
  return (
    <>
      <h1>An app of your own</h1>
      {offline && <p role="status">The server cannot be reached. Trying again …</p>}
      {!loggedIn && reason && <p role="status">{ENDED[reason] ?? 'You are logged out.'}</p>}
      {loggedIn ? <Inside /> : <Door />}
    </>
  );
}

function Door() {
  const [problem, setProblem] = useState('');

  async function enter(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget, (event.nativeEvent as SubmitEvent).submitter);
    const account = { username: String(form.get('username')), password: String(form.get('password')) };
    try {
      if (form.get('how') === 'register') await auth.register(account);
      else await auth.logIn(account);
    } catch (error) {
      setProblem((error as Error).message);
    }
  }

  return (
    <form onSubmit={enter}>
      <p><label>Username <input name="username" autoComplete="username" required /></label></p>
      <p><label>Password <input name="password" type="password" autoComplete="current-password" required /></label></p>
      <button name="how" value="login">Log in</button> <button name="how" value="register">Register</button>
      <p role="alert">{problem}</p>
    </form>
  );
}

function Inside() {
  const [shown, setShown] = useState('');

  async function ask() {
    try {
      const { message } = await auth.call<{ message: string }>('GET', '/api/protected');
      setShown(message);
    } catch (error) {
      setShown((error as Error).message);
    }
  }

  return (
    <>
      <button onClick={ask}>Read the protected message</button> <button onClick={() => auth.logOut()}>Log out</button>
      <p><output>{shown}</output></p>
    </>
  );
}

createRoot(document.getElementById('app')!).render(<App />);
