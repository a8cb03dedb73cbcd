// Owns the routes of the app: which path shows which page, and who may see it. A page that requires a
// login shows the login page until the user is logged in. While the account must set up a second
// factor, every page shows that.

import type { ComponentType } from 'react';
import { Frame } from './frame';
import { mustEnrol, useMe } from './me';
import { Account } from './pages/account';
import { AdminOnly } from './pages/admin/frame';
import { Audit } from './pages/admin/audit';
import { Invitations } from './pages/admin/invitations';
import { UserPage } from './pages/admin/user';
import { Users } from './pages/admin/users';
import { CheckMail } from './pages/check-mail';
import { Finalize } from './pages/finalize';
import { Forgot } from './pages/forgot';
import { Home } from './pages/home';
import { Login } from './pages/login';
import { LoginAgain } from './pages/login-again';
import { NotFound } from './pages/not-found';
import { Protected } from './pages/protected';
import { Register } from './pages/register';
import { RequiredFactor } from './pages/required-factor';
import { ResetFinalize } from './pages/reset-finalize';
import { useAddress } from './router';
import { useSession } from './session';
import { Loading } from './ui/loading';

interface Route {
  path: RegExp;
  page: ComponentType;
  who?: 'user' | 'admin';
  // The page of a link in a mail, whose account may not be the one that is logged in.
  ofLink?: true;
}

const routes: Route[] = [
  { path: /^\/$/, page: Home },
  { path: /^\/login$/, page: Login },
  { path: /^\/register$/, page: Register },
  { path: /^\/check-mail$/, page: CheckMail },
  { path: /^\/finalize$/, page: Finalize, ofLink: true },
  { path: /^\/forgot$/, page: Forgot },
  { path: /^\/reset-finalize$/, page: ResetFinalize, ofLink: true },
  { path: /^\/protected$/, page: Protected, who: 'user' },
  { path: /^\/account$/, page: Account, who: 'user' },
  { path: /^\/admin$/, page: Users, who: 'admin' },
  { path: /^\/admin\/users\/\d+$/, page: UserPage, who: 'admin' },
  { path: /^\/admin\/invitations$/, page: Invitations, who: 'admin' },
  { path: /^\/admin\/audit$/, page: Audit, who: 'admin' },
];

export function App() {
  const { path } = useAddress();
  const { data: me } = useMe();
  const route: Omit<Route, 'path'> = routes.find(each => each.path.test(path)) ?? { page: NotFound };
  return (
    <Frame>
      {mustEnrol(me) && !route.ofLink
        ? <RequiredFactor />
        // A new path is a new page, even with the same component.
        : <Guarded key={path} {...route} />}
      <LoginAgain />
    </Frame>
  );
}

function Guarded({ page: Page, who }: Pick<Route, 'page' | 'who'>) {
  const { loggedIn } = useSession();
  const me = useMe();
  if (!who) return <Page />;
  if (!loggedIn) return <Login />;
  if (who === 'admin') {
    if (!me.data) return <Loading of={me} />;
    if (!me.data.roles.includes('admin')) return <AdminOnly />;
  }
  return <Page />;
}
