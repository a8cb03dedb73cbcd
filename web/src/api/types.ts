// Owns the shapes of the server's answers, as docs/endpoints.md has them. Times are seconds since 1970.

export interface Config {
  registration: 'open' | 'email' | 'invite' | 'closed';
  mail: boolean;
  // What the service is called.
  issuer: string;
  // Characters of a new password; a server that does not say it wants 8.
  min_password_length?: number;
}

export interface Done {
  message: string;
}

// A registration is finished, or another address confirmed; only the former logs in.
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
  // Whether it must have one.
  second_factor_required: boolean;
  // How many are left.
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
