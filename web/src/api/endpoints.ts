// Owns the list of the endpoints, one line each, with the types of the request and the answer.

import { answered, asUser, auth, call, callWith } from '../session';
import type { LogInWith, RegisterWith, ResetPasswordWith } from '../auth/index';
import type {
  AuditPage, Config, Done, Enrolment, Finalized, Invitation, Me, NewInvitation, RecoveryCodes, ResetLink, Session,
  User, UserPage,
} from './types';

export const api = {
  config: () => callWith<Config>(false, 'GET', '/api/config'),
  logIn: (credentials: LogInWith) => answered(auth.logIn(credentials)),
  // Begins a new session of the account and ends the present one.
  logInAgain: async (credentials: LogInWith) => {
    const before = await answered(auth.token());
    await answered(auth.logIn(credentials));
    if (before) await callWith<Done>(before, 'POST', '/api/logout').catch(() => {});
  },
  register: (account: RegisterWith) => answered(auth.register(account)),
  finalize: (token: string) => callWith<Finalized>(token, 'GET', '/api/finalize'),
  reset: (email: string) => callWith<Done>(false, 'POST', '/api/reset', { email }),
  resetFinalize: (token: string, reset: ResetPasswordWith) => answered(auth.resetPassword(token, reset)),

  protected: () => call<Done>('GET', '/api/protected'),
  me: () => call<Me>('GET', '/api/me'),
  // `otp` is empty if the account has no second factor.
  deleteMe: (password: string, otp: string) => asUser(() => auth.deleteAccount({ password, ...given(otp) })),
  changePassword: (current: string, next: string, otp: string) =>
    asUser(() => auth.changePassword({ current, new: next, ...given(otp) })),
  changeEmail: (email: string, password: string, otp: string) =>
    call<Done>('PUT', '/api/email', { email, password, ...given(otp) }),

  sessions: () => call<{ sessions: Session[] }>('GET', '/api/sessions'),
  endSession: (id: string) => call<Done>('DELETE', `/api/sessions/${encodeURIComponent(id)}`),
  logOutEverywhere: () => asUser(() => auth.logOutEverywhere()),

  enrol: (password: string) => call<Enrolment>('POST', '/api/second-factor', { password }),
  confirmEnrolment: (otp: string) => call<RecoveryCodes>('PUT', '/api/second-factor', { otp }),
  removeSecondFactor: (password: string, otp: string) => call<Done>('DELETE', '/api/second-factor', { password, otp }),
  newRecoveryCodes: (password: string, otp: string) =>
    call<RecoveryCodes>('POST', '/api/second-factor/recovery-codes', { password, otp }),
};

const admin = '/api/admin';

export const adminApi = {
  // The server reads a limited number of accounts for one page, so a page of a search may be empty and not the last.
  users: async (search: string, after?: number): Promise<UserPage> => {
    let page: UserPage;
    do {
      page = await call<UserPage>('GET', `${admin}/users${query({ search, after, limit: 25 })}`);
      after = page.next ?? undefined;
    } while (page.users.length === 0 && page.next !== null);
    return page;
  },
  user: (id: number) => call<User>('GET', `${admin}/users/${id}`),
  deleteUser: (id: number) => call<Done>('DELETE', `${admin}/users/${id}`),
  setActive: (id: number, active: boolean) => call<User>('PUT', `${admin}/users/${id}/active`, { active }),
  setRoles: (id: number, roles: string[]) => call<User>('PUT', `${admin}/users/${id}/roles`, { roles }),
  sessions: (id: number) => call<{ sessions: Session[] }>('GET', `${admin}/users/${id}/sessions`),
  endSessions: (id: number) => call<Done>('DELETE', `${admin}/users/${id}/sessions`),
  resetLink: (id: number) => call<ResetLink>('POST', `${admin}/users/${id}/reset-link`),

  invitations: () => call<{ invitations: Invitation[] }>('GET', `${admin}/invitations`),
  invite: (roles: string[], days: number) =>
    call<NewInvitation>('POST', `${admin}/invitations`, { roles, expires_in: days * 86_400 }),
  revoke: (id: string) => call<Done>('DELETE', `${admin}/invitations/${encodeURIComponent(id)}`),

  audit: (user?: number, before?: number) => call<AuditPage>('GET', `${admin}/audit${query({ user, before, limit: 50 })}`),
};

function given(otp: string) {
  return otp ? { otp } : {};
}

function query(parameters: Record<string, string | number | undefined>): string {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '');
  return `?${new URLSearchParams(given.map(([key, value]) => [key, String(value)]))}`;
}
