// An app of our own that calls the server as the client of the flask-praetorian tutorial does
// (patriciadourado/jwtlogin-reactjs), with the versions of the libraries that its package-lock.json names. It
// keeps that client's habits which a server notices: bodies of JSON without a content type, a content type on
// a GET without a body, the address /api without its slash, a link that is asked for again with every render,
// answers that are told apart by their status alone. It checks no field before it sends it.

import React from 'react';
import { render } from 'react-dom';
import { HashRouter, Redirect, Route } from 'react-router-dom';
import { Finalize } from './pages/finalize.jsx';
import { Forgot } from './pages/forgot.jsx';
import { Home } from './pages/home.jsx';
import { LogIn } from './pages/log-in.jsx';
import { NewPassword } from './pages/new-password.jsx';
import { Register } from './pages/register.jsx';
import { Secret } from './pages/secret.jsx';
import { useAuth } from './session.js';

function Pages() {
  return (
    <HashRouter>
      <Route path="/" exact component={Home} />
      <Route path="/login" component={LogIn} />
      <Route path="/registration" component={Register} />
      <Route path="/finalize" component={Finalize} />
      <Route path="/reset" component={Forgot} />
      <Route path="/new_password" component={NewPassword} />
      <Guarded path="/secret" component={Secret} />
    </HashRouter>
  );
}

// It looks itself whether there is a token, so that the other pages are not rendered when one comes or goes.
function Guarded({ path, component: Page }) {
  const [known] = useAuth();
  return <Route path={path}>{known ? <Page /> : <Redirect to="/login" />}</Route>;
}

render(<React.StrictMode><Pages /></React.StrictMode>, document.getElementById('root'));
