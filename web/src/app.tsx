// Owns the map of the app: which address shows which page, and who may see it. A page that takes
// a login shows the login in its place, and is there at once after it. So does every page where
// the account must set up a second factor first.

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
  // Of a link in a mail, which may be another account's than the one that is logged in.
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
        // Another address is another page, even where the same component shows it.
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
