// Owns the types of the server's answers; docs/endpoints.md has them. Times are seconds since 1970.

export interface Config {
  registration: 'open' | 'email' | 'invite' | 'closed';
  mail: boolean;
  // The name of the service.
  issuer: string;
  // Minimum length of a new password in characters; older servers, which do not send it, require 8.
  min_password_length?: number;
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
  created: number;
  second_factor: boolean;
}

export interface UserPage {
  users: User[];
  next: number | null;
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
  name: string | null;
  actor: number | null;
  address: string | null;
  detail: string;
}

export interface AuditPage {
  entries: AuditEntry[];
  next: number | null;
}
