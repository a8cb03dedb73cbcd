// Owns the routes of the app: which path shows which page, and who may see it. A page that requires a
// login shows the login page until the user is logged in. While the account must set up a second
// factor, every page shows that. Pages that the login does not need are loaded when they are shown.

import { useEffect, useState, type ComponentType } from 'react';
import { useConfigLoad } from './config';
import { Frame } from './frame';
import { lazy } from './lazy';
import { mustEnrol, useMe } from './me';
import { CheckMail } from './pages/check-mail';
import { Forgot } from './pages/forgot';
import { Home } from './pages/home';
import { Login } from './pages/login';
import { NotFound } from './pages/not-found';
import { Register } from './pages/register';
import { useFreshLoginAsked } from './login-again';
import { useAddress } from './router';
import { auth, useSession } from './session';
import { Loading } from './ui/loading';

// One chunk has all pages of a line of this list; see vite.config.ts.
const Account = lazy(async () => (await import('./pages/account')).Account);
const LoginAgain = lazy(async () => (await import('./pages/login-again')).LoginAgain);
const RequiredFactor = lazy(async () => (await import('./pages/required-factor')).RequiredFactor);
const AdminOnly = lazy(async () => (await import('./pages/admin/frame')).AdminOnly);
const Audit = lazy(async () => (await import('./pages/admin/audit')).Audit);
const Invitations = lazy(async () => (await import('./pages/admin/invitations')).Invitations);
const Mails = lazy(async () => (await import('./pages/admin/mails')).Mails);
const AddUser = lazy(async () => (await import('./pages/admin/user-new')).AddUser);
const UserPage = lazy(async () => (await import('./pages/admin/user')).UserPage);
const Users = lazy(async () => (await import('./pages/admin/users')).Users);
const Finalize = lazy(async () => (await import('./pages/finalize')).Finalize);
const ResetFinalize = lazy(async () => (await import('./pages/reset-finalize')).ResetFinalize);
const Setup = lazy(async () => (await import('./pages/setup')).Setup);
const Checklist = lazy(async () => (await import('./pages/admin/checklist')).Checklist);
const Protected = lazy(async () => (await import('./pages/protected')).Protected);

interface Route {
  path: RegExp;
  page: ComponentType & { preload?: () => void };
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
  { path: /^\/setup$/, page: Setup },
  { path: /^\/protected$/, page: Protected, who: 'user' },
  { path: /^\/account$/, page: Account, who: 'user' },
  { path: /^\/admin$/, page: Users, who: 'admin' },
  { path: /^\/admin\/mails$/, page: Mails, who: 'admin' },
  { path: /^\/admin\/users\/new$/, page: AddUser, who: 'admin' },
  { path: /^\/admin\/users\/\d+$/, page: UserPage, who: 'admin' },
  { path: /^\/admin\/invitations$/, page: Invitations, who: 'admin' },
  { path: /^\/admin\/checklist$/, page: Checklist, who: 'admin' },
  { path: /^\/admin\/audit$/, page: Audit, who: 'admin' },
];

// The page of this URL is loaded at the same time as the configuration.
const first = routeOf(location.pathname);
if (!first.who || auth.state.loggedIn) first.page.preload?.();

function routeOf(path: string): Omit<Route, 'path'> {
  return routes.find(each => each.path.test(path)) ?? { page: NotFound };
}

export function App() {
  const config = useConfigLoad();
  return <Frame>{config.data ? <Pages /> : <Loading of={config} quiet />}</Frame>;
}

function Pages() {
  const { path } = useAddress();
  const { data: me } = useMe();
  const { loggedIn, claims } = useSession();
  const user = claims?.id;
  const route = routeOf(path);
  // The user who has not kept the new recovery codes yet. The server sends them only once, so their page stays
  // although the account, when it is loaded again, has its second factor.
  const [reading, setReading] = useState<number>();
  useEffect(() => () => setReading(undefined), [user]);
  // Most go there next.
  useEffect(() => void (loggedIn && Account.preload()), [loggedIn]);
  return (
    <>
      {(reading !== undefined && reading === user) || (mustEnrol(me) && !route.ofLink)
        ? <RequiredFactor key={user} onCodes={() => setReading(user)} onKept={() => setReading(undefined)} />
        // A new path is a new page, even with the same component. So is the same one for another user, who logged in
        // in another tab: it has nothing of the user before.
        : <Guarded key={route.who ? `${path} ${user}` : path} {...route} />}
      {useFreshLoginAsked() && <LoginAgain />}
    </>
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
