// Owns the public types of the module: what an app sees of it. Knows nothing of how it is done.

/** What a token says. Seconds since 1970 by the server's clock: compare them with each other, not with ours. */
export interface Claims {
  readonly id: number;
  /** Names the session. */
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  /** The session ends here at the latest. */
  readonly rf_exp: number;
  /** Roles, joined by commas, as of the last refresh. */
  readonly rls: string;
}

/**
 * Why nobody is logged in:
 * - `user`: logged out here or in another tab
 * - `expired`: the session has reached its end (the server's refresh lifespan)
 * - `revoked`: the session was ended elsewhere (log out everywhere, another password, a replayed token)
 * - `deactivated`, `deleted`: the account is
 * - `invalid`: the server does not know this token (its key was retired, or it is another server)
 */
export type LogOutReason = 'user' | 'expired' | 'revoked' | 'deactivated' | 'deleted' | 'invalid';

/** An immutable snapshot: a new object whenever something changed, the same one otherwise. */
export interface AuthState {
  readonly loggedIn: boolean;
  /** Of the token held; null when logged out. */
  readonly claims: Claims | null;
  /** `claims.rls` as a list; empty when logged out. */
  readonly roles: readonly string[];
  /** Why the session of this page ended; null while logged in, and if there was none yet. */
  readonly reason: LogOutReason | null;
  /** The server could not be reached lately. The session is kept; it is tried again by itself. */
  readonly offline: boolean;
}

export interface AuthOptions {
  /** Where lictor is: '' (this origin, the default) or e.g. 'http://192.168.1.10:5000'. Paths like '/api/me' are appended. */
  readonly api?: string;
  /** The key in localStorage and sessionStorage; two servers on one origin need two. Default 'lictor.auth'. */
  readonly storageKey?: string;
}

export interface LogInWith {
  readonly username: string;
  readonly password: string;
  /** Code of the second factor, after `ApiError` `SecondFactorRequired`. */
  readonly otp?: string | undefined;
  /** true (default): localStorage, all tabs, survives the browser. false: sessionStorage, this tab alone. */
  readonly remember?: boolean | undefined;
}

export interface RegisterWith {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
  readonly invitation?: string | undefined;
  readonly remember?: boolean | undefined;
}

export interface ChangePasswordWith {
  readonly current: string;
  readonly new: string;
  /** Code of the second factor, if the account has one: `ApiError` `OtpRequired`. */
  readonly otp?: string | undefined;
}

export interface ResetPasswordWith {
  readonly password: string;
  /** Code of the second factor, after `ApiError` `SecondFactorRequired`. */
  readonly otp?: string | undefined;
  readonly remember?: boolean | undefined;
}

export interface DeleteAccountWith {
  readonly password: string;
  /** Code of the second factor, if the account has one: `ApiError` `OtpRequired`. */
  readonly otp?: string | undefined;
}

/** As for fetch, with one field more. */
export interface CallInit extends RequestInit {
  /**
   * Left out: the token held, if any. `false`: none (public endpoints). A string: this one
   * instead (mailed tokens: finalize, reset_finalize); what the answer says of it does not touch
   * the session.
   */
  readonly token?: string | false | undefined;
}

export type Registered = { readonly loggedIn: true } | { readonly loggedIn: false; readonly message: string };

export interface Auth {
  /** The present snapshot. */
  readonly state: AuthState;
  /** Calls back after each change of `state`; returns what ends it. */
  subscribe(listener: () => void): () => void;

  /** POST /api/login. Rejects with ApiError (AuthenticationError, SecondFactorRequired, WrongOtp, TooManyRequests …) or NetworkError. */
  logIn(credentials: LogInWith): Promise<void>;
  /** POST /api/registration. `loggedIn: false` with the server's sentence where the address must be confirmed first. */
  register(account: RegisterWith): Promise<Registered>;
  /** POST /api/reset_finalize with a mailed token: begins a session. Resolves to the username. */
  resetPassword(mailedToken: string, reset: ResetPasswordWith): Promise<string>;
  /** PUT /api/password: ends every session of the user and begins a new one, with which all tabs go on. */
  changePassword(change: ChangePasswordWith): Promise<void>;
  /** Begins a session with a token that another endpoint has just answered (finalize). */
  accept(accessToken: string, options?: { readonly remember?: boolean | undefined }): void;

  /** Logged out at once in all tabs of the session; then the server is told. Resolves to whether it heard it. Never rejects. */
  logOut(): Promise<boolean>;
  /** Ends all sessions of the user. Rejects, and stays logged in, if the server cannot be told. */
  logOutEverywhere(): Promise<void>;
  /** DELETE /api/me: the account is gone, and what this browser knew of it. */
  deleteAccount(proof: DeleteAccountWith): Promise<void>;
  /** The session is over and the server knows: forgets the token in all tabs. */
  forget(reason?: LogOutReason): void;

  /**
   * fetch with the token: refreshes first where needed, and tries once more after a 401
   * ExpiredAccessError. `path` begins with '/'. Resolves for 2xx only; else rejects with ApiError,
   * NetworkError, or what your `signal` was aborted with.
   */
  fetch(path: string, init?: CallInit): Promise<Response>;
  /** The same with JSON both ways; `undefined` for an empty answer. `await auth.call<Me>('GET', '/api/me')` */
  call<T = unknown>(method: string, path: string, body?: unknown, init?: CallInit): Promise<T>;
  /** A token that is good now, for services of your own; null when logged out. Rejects like fetch. */
  token(): Promise<string | null>;
  /** Asks the server now whether it is there (the button "try again"). Resolves to whether it is. */
  retry(): Promise<boolean>;

  /** Ends timers and listeners (tests, hot reload). An app needs it not. */
  close(): void;
}
