// Owns the login page, with or without a URL to which the login returns.

import { useEffect } from 'react';
import { lazy } from '../lazy';
import { returnHere } from '../return-to';
import { navigate, useAddress } from '../router';
import { useSession } from '../session';
import { LoginForm } from './login-form';

const Return = lazy(async () => (await import('./return')).Return);

export function Login() {
  const { loggedIn } = useSession();
  const { path } = useAddress();
  const to = path === '/login' ? returnHere() : null;

  // If the login replaced another page, that page appears without navigation.
  useEffect(() => {
    if (loggedIn && path === '/login' && to === null) navigate('/', { replace: true });
  }, [loggedIn, path, to]);

  return to === null ? <LoginForm /> : <Return to={to} />;
}
