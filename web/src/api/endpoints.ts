// Owns the list of the endpoints, one line each, with the types of the request and the answer.

import { arrive } from '../arrival';
import { answered, asUser, auth, call, callWith } from '../session';
import type { LogInWith, RegisterWith, ResetPasswordWith } from 'lictor-auth';
import type {
  App, AppPassword, AuditPage, BrowserSession, Checklist, Config, ConfirmationLink, Cursor, Done, Enrolment, Finalized,
  Invitation, MailPage, Me, NewInvitation, NewUser, PasswordLink, RecoveryCodes, ResetLink, Session, TestMail, User,
  UserPage,
} from './types';

export const api = {
  config: () => callWith<Config>(false, 'GET', '/api/config'),
  logIn: (credentials: LogInWith) => arriving(answered(auth.logIn(credentials))),
  // Begins a new session of the account and ends the present one.
  logInAgain: (credentials: LogInWith) => replacingSession(async () => {
    const before = await answered(auth.token());
    await answered(auth.logIn({ ...credentials, remember: auth.remembers }));
    if (before) await callWith<Done>(before, 'POST', '/api/logout').catch(() => {});
  }),
  // Ends the sessions of the cookie and of `token`; one that has ended before is no error.
  endBrowserSession: (token: string | null) => callWith<Done>(token ?? false, 'DELETE', '/api/session'),
  browserSession: (returnTo = '') =>
    callWith<BrowserSession>(false, 'GET', `/api/session?return=${encodeURIComponent(returnTo)}`),
  // Logs the browser in to the apps with the present session.
  giveCookie: () => call<unknown>('POST', '/api/session', auth.remembers ? undefined : { remember: false }),
  register: (account: RegisterWith) => arriving(answered(auth.register(account))),
  // Both leave the link good.
  checkFinalize: (token: string) => callWith<ConfirmationLink>(token, 'GET', '/api/finalize/check'),
  checkReset: (token: string) => callWith<PasswordLink>(token, 'GET', '/api/reset_finalize'),
  reset: (email: string) => callWith<Done>(false, 'POST', '/api/reset', { email }),
  // Both log in another user than the present one, if the link is for another.
  finalize: (token: string) => arriving(insteadOf(async () => {
    const answer = await callWith<Finalized>(token, 'GET', '/api/finalize');
    if (answer.access_token) auth.accept(answer.access_token);
    return answer;
  })),
  resetFinalize: (token: string, reset: ResetPasswordWith) =>
    arriving(insteadOf(() => answered(auth.resetPassword(token, reset)))),

  // Makes the first administrator, and ends the session of whoever was logged in here.
  setUp: (account: { token: string; username: string; password: string }) => insteadOf(async () => {
    const { access_token: token } = await callWith<{ access_token: string }>(false, 'POST', '/api/setup', account);
    auth.accept(token);
  }),
  apps: () => call<{ apps: App[] }>('GET', '/api/apps'),

  protected: () => call<Done>('GET', '/api/protected'),
  me: () => call<Me>('GET', '/api/me'),
  // `otp` is empty if the account has no second factor.
  deleteMe: (password: string, otp: string) => asUser(() => auth.deleteAccount({ password, ...given(otp) })),
  changePassword: (current: string, next: string, otp: string, keep: boolean) => replacingSession(() =>
    asUser(() => auth.changePassword({ current, new: next, ...given(otp), ...(keep && { keep_app_passwords: true }) }))),
  changeEmail: (email: string, password: string, otp: string) =>
    call<Done>('PUT', '/api/email', { email, password, ...given(otp) }),

  sessions: () => call<{ sessions: Session[] }>('GET', '/api/sessions'),
  endSession: (id: string) => call<Done>('DELETE', `/api/sessions/${encodeURIComponent(id)}`),
  logOutEverywhere: () => asUser(() => auth.logOutEverywhere()),

  appPasswords: () => call<{ app_passwords: AppPassword[] }>('GET', '/api/app-passwords'),
  addAppPassword: (wanted: { name: string; expires_in?: number; hosts?: string[]; api?: boolean }) =>
    call<{ password: string }>('POST', '/api/app-passwords', wanted),
  deleteAppPassword: (id: string) => call<Done>('DELETE', `/api/app-passwords/${encodeURIComponent(id)}`),

  enrol: (password: string) => call<Enrolment>('POST', '/api/second-factor', { password }),
  confirmEnrolment: (otp: string) => call<RecoveryCodes>('PUT', '/api/second-factor', { otp }),
  removeSecondFactor: (password: string, otp: string) => call<Done>('DELETE', '/api/second-factor', { password, otp }),
  newRecoveryCodes: (password: string, otp: string) =>
    call<RecoveryCodes>('POST', '/api/second-factor/recovery-codes', { password, otp }),
};

const admin = '/api/admin';
const ofUser = (id: number) => `${admin}/users/${id}`;

// What the addresses of the lists hold, by the same names as the parameters of the server.
const USERS = ['search', 'role', 'state', 'second_factor', 'sort', 'order'];
const AUDIT = ['user', 'name', 'event', 'failed', 'since', 'until', 'address', 'before'];

export const adminApi = {
  // The server reads a limited number of accounts for one page, so a page of a search may be empty and not the last.
  users: async (wanted: URLSearchParams): Promise<UserPage> => {
    const back = wanted.has('before');
    let at: Cursor | undefined = wanted.get(back ? 'before' : 'after') ?? undefined;
    let page: UserPage;
    do {
      const from = back ? { before: at } : { after: at };
      page = await call<UserPage>('GET', `${admin}/users${query({ ...picked(wanted, USERS), ...from, limit: 25 })}`);
      at = (back ? page.previous : page.next) ?? undefined;
    } while (page.users.length === 0 && at !== undefined);
    return page;
  },
  addUser: (account: { username: string; email?: string; roles: string[] }) =>
    call<NewUser>('POST', `${admin}/users`, account),
  user: (id: number) => call<User>('GET', ofUser(id)),
  deleteUser: (id: number) => call<Done>('DELETE', ofUser(id)),
  setActive: (id: number, active: boolean) => call<User>('PUT', `${ofUser(id)}/active`, { active }),
  setRoles: (id: number, roles: string[]) => call<User>('PUT', `${ofUser(id)}/roles`, { roles }),
  setEmail: (id: number, email: string) => call<unknown>('PUT', `${ofUser(id)}/email`, { email: email || null }),
  resetSecondFactor: (id: number) => call<unknown>('DELETE', `${ofUser(id)}/second-factor`),
  unlock: (id: number) => call<unknown>('POST', `${ofUser(id)}/unlock`),
  sessions: (id: number) => call<{ sessions: Session[] }>('GET', `${ofUser(id)}/sessions`),
  endSession: (id: number, session: string) =>
    call<Done>('DELETE', `${ofUser(id)}/sessions/${encodeURIComponent(session)}`),
  endSessions: (id: number) => call<Done>('DELETE', `${ofUser(id)}/sessions`),
  resetLink: (id: number) => call<ResetLink>('POST', `${ofUser(id)}/reset-link`),
  resetMail: (id: number) => call<Done>('POST', `${ofUser(id)}/reset-mail`),

  invitations: () => call<{ invitations: Invitation[] }>('GET', `${admin}/invitations`),
  invite: (roles: string[], days: number, email: string, note: string) =>
    call<NewInvitation>('POST', `${admin}/invitations`, {
      roles,
      expires_in: days * 86_400,
      ...(email && { email, ...(note && { note }) }),
    }),
  revoke: (id: string) => call<Done>('DELETE', `${admin}/invitations/${encodeURIComponent(id)}`),

  checklist: () => call<Checklist>('GET', `${admin}/checklist`),
  sendTestMail: (email: string) => call<{ id: number; email: string }>('POST', `${admin}/test-mail`, { email }),
  testMail: (id: number) => call<TestMail>('GET', `${admin}/test-mail/${id}`),

  audit: (wanted: URLSearchParams, limit: number) =>
    call<AuditPage>('GET', `${admin}/audit${query({ ...picked(wanted, AUDIT), limit })}`),

  mails: (after?: Cursor) => call<MailPage>('GET', `${admin}/mails${query({ after, limit: 50 })}`),
  retryMail: (id: number) => call<unknown>('POST', `${admin}/mails/${id}/retry`),
  dropMail: (id: number) => call<unknown>('DELETE', `${admin}/mails/${id}`),
};

function picked(from: URLSearchParams, names: string[]): Record<string, string> {
  return Object.fromEntries([...from].filter(([name]) => names.includes(name)));
}

// A browser that is logged in to the apps gets a cookie for the new session, because the old one ends.
async function replacingSession(replace: () => Promise<void>) {
  const { user } = await api.browserSession();
  await replace();
  if (user) await api.giveCookie().catch(() => {});
}

// Ends the session of another user, which a new one replaces here: nobody would have its token any more.
async function insteadOf<T>(begin: () => Promise<T>): Promise<T> {
  const user = auth.state.claims?.id;
  const before = await auth.token().catch(() => null);
  const answer = await begin();
  if (before && auth.state.claims?.id !== user) await callWith<Done>(before, 'POST', '/api/logout').catch(() => {});
  return answer;
}

// A login by a form of this page.
async function arriving<T>(login: Promise<T>): Promise<T> {
  const answer = await login;
  arrive();
  return answer;
}

function given(otp: string) {
  return otp ? { otp } : {};
}

function query(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
