// Owns the types of the server's answers; docs/endpoints.md has them. Times are seconds since 1970.

export interface Config {
  registration: 'open' | 'email' | 'invite' | 'closed';
  mail: boolean;
  // The name of the service.
  issuer: string;
  // Minimum length of a new password in characters; older servers, which do not send it, require 8.
  min_password_length?: number;
  // Whether apps behind a proxy know their users by a cookie.
  cookie?: boolean;
  // Where a login leads, and the name of the service in the frame.
  home_url?: string | null;
  // Whether there is no administrator yet.
  setup?: boolean;
  // The operator's logo, colours and links.
  brand?: {
    logo: string | null;
    logo_dark: string | null;
    accent: string | null;
    accent_dark: string | null;
    imprint: string | null;
    privacy: string | null;
  };
}

// An app behind the proxy that the user may open.
export interface App {
  host: string;
  url: string;
}

export interface Done {
  message: string;
}

// A registration was finished, or a new e-mail address confirmed. Only the former logs in.
export interface Finalized {
  user: string;
  access_token?: string;
  email?: string;
}

// What a link that confirms an e-mail address is good for.
export interface ConfirmationLink {
  user: string;
  email: string;
  registration: boolean;
}

// Whose password a link sets.
export interface PasswordLink {
  user: string;
  second_factor: boolean;
}

export interface RecoveryCodes {
  recovery_codes: string[];
}

export interface Me {
  id: number;
  username: string;
  email: string | null;
  roles: string[];
  created: number;
  second_factor: boolean;
  // Whether the account must have one.
  second_factor_required: boolean;
  // Number of unused codes.
  recovery_codes: number;
}

export interface Session {
  id: string;
  created: number;
  last_refreshed: number;
  expires: number;
  address: string;
  user_agent: string;
  current: boolean;
  // Whether its browser is logged in to the apps behind the proxy, and when it last used one.
  browser: boolean;
  seen: number | null;
}

// Who is logged in to the apps, by the cookie of the browser.
export interface BrowserSession {
  user: { id: number; name: string } | null;
  // Where the user wants to go. Null if this is not an address of this site.
  return: { url: string; host: string; allowed: boolean } | null;
  problem: 'address' | 'role' | 'second-factor' | null;
}

export interface AppPassword {
  id: string;
  name: string;
  // Empty: all hosts.
  hosts: string[];
  // Whether it can read from the API.
  api: boolean;
  created: number;
  expires: number | null;
  used: number | null;
  used_address: string | null;
}

export interface Enrolment {
  secret: string;
  uri: string;
  qr: string;
}

export interface User {
  id: number;
  username: string;
  email: string | null;
  roles: string[];
  active: boolean;
  // An unconfirmed account is inactive until the link in its mail is followed.
  state: 'active' | 'inactive' | 'unconfirmed';
  // The address that waits for its confirmation.
  pending_email: string | null;
  created: number;
  second_factor: boolean;
  last_login: number | null;
  last_login_address: string | null;
  // Failed logins since the last one that worked, and whether they are so many that only known devices may go on.
  failures: number;
  locked: boolean;
}

// The position of a page of a list: the server's, which this app only sends back.
export type Cursor = number | string;

export interface UserPage {
  users: User[];
  next: Cursor | null;
  previous: Cursor | null;
  // The number of users that match, or of those that were counted.
  total: number;
  total_exact: boolean;
}

export interface NewUser {
  user: User;
  reset_link?: ResetLink | null;
}

export interface ResetLink {
  token: string;
  link: string | null;
  expires: number;
}

export interface Invitation {
  id: string;
  roles: string[];
  created: number;
  expires: number;
  creator: number | null;
}

export interface NewInvitation {
  id: string;
  code: string;
  expires: number;
}

export interface AuditEntry {
  id: number;
  at: number;
  event: string;
  user: number | null;
  // The name of the account; null if there was none.
  name: string | null;
  actor: number | null;
  actor_name: string | null;
  address: string | null;
  detail: string;
}

export interface AuditPage {
  entries: AuditEntry[];
  next: number | null;
}

export interface QueuedMail {
  id: number;
  kind: string;
  email: string;
  user: number | null;
  name: string | null;
  created: number;
  attempts: number;
  // When it is tried next; null once it is given up.
  due: number | null;
  failure: string;
}

export interface MailPage {
  mails: QueuedMail[];
  next: Cursor | null;
}

// What is left to do after the first start.
export interface Checklist {
  issuer: string;
  // Whether that is the name which lictor gives itself.
  default_issuer: boolean;
  registration: Config['registration'];
  mail: boolean;
  public_url: string | null;
  // The administrator's own.
  email: string | null;
  second_factor: boolean;
  database: 'sqlite' | 'postgres';
}

export interface TestMail {
  state: 'waits' | 'sent' | 'failed';
  // What the mail server said last; empty before the first attempt.
  failure: string;
  due: number | null;
}
