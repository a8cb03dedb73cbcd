// Owns the comparison of our types with those of the API's document: what lictor-auth and the web app send
// must be what the document takes, and what the document answers must be what they read. It has no code; the
// compiler is the test.

import type {
  ApiError, ChangePasswordWith, DeleteAccountWith, LogInWith, RegisterWith, ResetPasswordWith,
} from 'lictor-auth';
import type {
  App, AppPassword, AuditEntry, AuditPage, BrowserSession, Checklist, Config, ConfirmationLink, Done, Enrolment, Finalized,
  Invitation, MailPage, Me, NewInvitation, NewUser, PasswordLink, QueuedMail, RecoveryCodes, ResetLink, Session, TestMail,
  User, UserPage,
} from '../../web/src/api/types.ts';
import type { paths } from './built/openapi.js';

// The compiler refuses anything but true, and shows both types.
type Expect<All extends true[]> = All;
type Fits<From, To> = [From] extends [never] ? { missing: From } : [To] extends [never] ? { missing: To } : [From] extends [To] ? true : { from: From; to: To };

type Operation<Path extends keyof paths, Method extends keyof paths[Path]> = paths[Path][Method];
type Json<Of> = Of extends { content: { 'application/json': infer Body } } ? Body : never;
type Good<Responses> = { [Status in keyof Responses & (200 | 201)]: Json<Responses[Status]> }[keyof Responses & (200 | 201)];
type Answer<Path extends keyof paths, Method extends keyof paths[Path]> =
  Operation<Path, Method> extends { responses: infer Responses } ? Good<Responses> : never;
type Body<Path extends keyof paths, Method extends keyof paths[Path]> =
  Operation<Path, Method> extends { requestBody?: infer Of } ? Json<NonNullable<Of>> : never;

// A misspelt path or a body that is not JSON is `never`.
type Sends<Ours, Theirs> = Fits<Ours, Theirs> extends true ? Fits<keyof Ours, keyof Theirs> : Fits<Ours, Theirs>;
type Reads<Theirs, Ours> = Fits<Theirs, Ours>;

// What stays in the browser.
type Sent<With> = Omit<With, 'remember'> & { device: string };

export type Bodies = Expect<[
  Sends<Sent<LogInWith> & { remember?: boolean }, Body<'/api/login', 'post'>>,
  Sends<Sent<RegisterWith>, Body<'/api/registration', 'post'>>,
  Sends<Sent<ResetPasswordWith>, Body<'/api/reset_finalize', 'post'>>,
  Sends<ChangePasswordWith & { device: string }, Body<'/api/password', 'put'>>,
  Sends<DeleteAccountWith, Body<'/api/me', 'delete'>>,
  Sends<{ email: string }, Body<'/api/reset', 'post'>>,
  Sends<{ token: string; username: string; password: string }, Body<'/api/setup', 'post'>>,
  Sends<{ email: string; password: string; otp?: string }, Body<'/api/email', 'put'>>,
  Sends<{ name: string; expires_in?: number; hosts?: string[]; api?: boolean }, Body<'/api/app-passwords', 'post'>>,
  Sends<{ password: string }, Body<'/api/second-factor', 'post'>>,
  Sends<{ otp: string }, Body<'/api/second-factor', 'put'>>,
  Sends<{ password: string; otp: string }, Body<'/api/second-factor', 'delete'>>,
  Sends<{ password: string; otp: string }, Body<'/api/second-factor/recovery-codes', 'post'>>,
  Sends<{ username: string; email?: string; roles: string[] }, Body<'/api/admin/users', 'post'>>,
  Sends<{ active: boolean }, Body<'/api/admin/users/{id}/active', 'put'>>,
  Sends<{ roles: string[] }, Body<'/api/admin/users/{id}/roles', 'put'>>,
  Sends<{ email: string | null }, Body<'/api/admin/users/{id}/email', 'put'>>,
  Sends<{ roles: string[]; expires_in: number; email?: string; note?: string }, Body<'/api/admin/invitations', 'post'>>,
  Sends<{ email: string }, Body<'/api/admin/test-mail', 'post'>>,
]>;

interface Begun {
  access_token: string;
  device?: string;
}

export type Answers = Expect<[
  Reads<Answer<'/api/login', 'post'>, Begun>,
  Reads<Answer<'/api/refresh', 'post'>, { access_token: string }>,
  Reads<Answer<'/api/registration', 'post'>, Begun | Done>,
  Reads<Answer<'/api/reset_finalize', 'post'>, Begun & { user: string }>,
  Reads<Answer<'/api/password', 'put'>, Begun>,
  Reads<Answer<'/api/setup', 'post'>, { access_token: string }>,
  Reads<Answer<'/api/finalize', 'get'>, Finalized>,
  Reads<Answer<'/api/finalize/check', 'get'>, ConfirmationLink>,
  Reads<Answer<'/api/reset_finalize', 'get'>, PasswordLink>,
  Reads<Answer<'/api/reset', 'post'>, Done>,
  Reads<Answer<'/api/config', 'get'>, Config>,
  Reads<Answer<'/api/session', 'get'>, BrowserSession>,
  Reads<Answer<'/api/apps', 'get'>, { apps: App[] }>,
  Reads<Answer<'/api/protected', 'get'>, Done>,
  Reads<Answer<'/api/me', 'get'>, Me>,
  Reads<Answer<'/api/me', 'delete'>, Done>,
  Reads<Answer<'/api/email', 'put'>, Done>,
  Reads<Answer<'/api/sessions', 'get'>, { sessions: Session[] }>,
  Reads<Answer<'/api/sessions/{id}', 'delete'>, Done>,
  Reads<Answer<'/api/app-passwords', 'get'>, { app_passwords: AppPassword[] }>,
  Reads<Answer<'/api/app-passwords', 'post'>, { password: string }>,
  Reads<Answer<'/api/app-passwords/{id}', 'delete'>, Done>,
  Reads<Answer<'/api/second-factor', 'post'>, Enrolment>,
  Reads<Answer<'/api/second-factor', 'put'>, RecoveryCodes>,
  Reads<Answer<'/api/second-factor', 'delete'>, Done>,
  Reads<Answer<'/api/second-factor/recovery-codes', 'post'>, RecoveryCodes>,
  Reads<Answer<'/api/admin/users', 'get'>, UserPage>,
  Reads<Answer<'/api/admin/users', 'post'>, NewUser>,
  Reads<Answer<'/api/admin/users/{id}', 'get'>, User>,
  Reads<Answer<'/api/admin/users/{id}', 'delete'>, Done>,
  Reads<Answer<'/api/admin/users/{id}/active', 'put'>, User>,
  Reads<Answer<'/api/admin/users/{id}/roles', 'put'>, User>,
  Reads<Answer<'/api/admin/users/{id}/sessions', 'get'>, { sessions: Session[] }>,
  Reads<Answer<'/api/admin/users/{id}/sessions', 'delete'>, Done>,
  Reads<Answer<'/api/admin/users/{id}/reset-link', 'post'>, ResetLink>,
  Reads<Answer<'/api/admin/users/{id}/reset-mail', 'post'>, Done>,
  Reads<Answer<'/api/admin/invitations', 'get'>, { invitations: Invitation[] }>,
  Reads<Answer<'/api/admin/invitations', 'post'>, NewInvitation>,
  Reads<Answer<'/api/admin/invitations/{id}', 'delete'>, Done>,
  Reads<Answer<'/api/admin/checklist', 'get'>, Checklist>,
  Reads<Answer<'/api/admin/test-mail', 'post'>, { id: number; email: string }>,
  Reads<Answer<'/api/admin/test-mail/{id}', 'get'>, TestMail>,
  Reads<Answer<'/api/admin/audit', 'get'>, AuditPage>,
  Reads<Answer<'/api/admin/audit', 'get'>['entries'][number], AuditEntry>,
  Reads<Answer<'/api/admin/mails', 'get'>, MailPage>,
  Reads<Answer<'/api/admin/mails', 'get'>['mails'][number], QueuedMail>,
]>;

type Refusal = Json<NonNullable<Operation<'/api/me', 'get'>>['responses'][401]>;
export type Errors = Expect<[
  Reads<Refusal['error'], ApiError['error']>,
  Reads<Refusal['message'], ApiError['message']>,
  Reads<Refusal['status_code'], ApiError['status']>,
]>;

// What must not compile; otherwise the comparison above would compare nothing.
// @ts-expect-error: a path that does not exist
export type NoPath = Expect<[Reads<Answer<'/api/nothing', 'get'>, unknown>]>;
// @ts-expect-error: a method without a body
export type NoBody = Expect<[Sends<object, Body<'/api/me', 'get'>>]>;
// @ts-expect-error: a field of another type
export type OtherType = Expect<[Sends<{ username: number; password: string }, Body<'/api/login', 'post'>>]>;
// @ts-expect-error: a field that the document does not know
export type OtherField = Expect<[Sends<{ username: string; password: string; more: string }, Body<'/api/login', 'post'>>]>;
// @ts-expect-error: an answer without a field that we read
export type MissingField = Expect<[Reads<Answer<'/api/me', 'get'>, Me & { more: string }>]>;
