// Owns the public types of the module. Knows nothing of the implementation.

/** The claims of a token. Times are seconds since 1970 by the server's clock; compare them only with each other. */
export interface Claims {
  readonly id: number;
  /** The id of the session. */
  readonly jti: string;
  readonly iat: number;
  readonly exp: number;
  /** The latest end of the session. */
  readonly rf_exp: number;
  /** The roles at the last refresh, joined by commas. */
  readonly rls: string;
}

/**
 * Why the session ended:
 * - `user`: the user logged out, here or in another tab
 * - `expired`: the session has reached its latest end (the server's refresh lifespan)
 * - `revoked`: the session was ended elsewhere (log out everywhere, another password, a replayed token)
 * - `deactivated`, `deleted`: so is the account
 * - `invalid`: the server does not know this token (its key was retired, or it is another server)
 */
export type LogOutReason = 'user' | 'expired' | 'revoked' | 'deactivated' | 'deleted' | 'invalid';

/** An immutable snapshot: a new object after each change, the same object otherwise. */
export interface AuthState {
  readonly loggedIn: boolean;
  /** The claims of the token; null when logged out. */
  readonly claims: Claims | null;
  /** `claims.rls` as a list; empty when logged out. */
  readonly roles: readonly string[];
  /** Why the session of this page ended; null while logged in, and before the first session. */
  readonly reason: LogOutReason | null;
  /** The server cannot be reached. The session is kept, and the server is probed until it is back. */
  readonly offline: boolean;
}

export interface AuthOptions {
  /** The origin of lictor: '' (this origin, the default) or e.g. 'http://192.168.1.10:5000'. Paths like '/api/me' are appended. */
  readonly api?: string;
  /** The key in localStorage and sessionStorage; two servers on one origin need two. Default 'lictor.auth'. */
  readonly storageKey?: string;
  /** Sends the requests, e.g. to add a header field. Default: the browser's fetch. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

export interface LogInWith {
  readonly username: string;
  readonly password: string;
  /** Code of the second factor, after `ApiError` `SecondFactorRequired`. */
  readonly otp?: string | undefined;
  /** true (default): localStorage, for all tabs, kept when the browser closes. false: sessionStorage, for this tab and those opened while it is open, until the browser closes; so does a cookie. */
  readonly remember?: boolean | undefined;
  /** true: the browser gets a cookie too, by which apps behind a proxy know the user. Only for pages that lictor serves. */
  readonly cookie?: boolean | undefined;
  /** The one app that the token is for, if lictor was started with several (`--audience`). */
  readonly audience?: string | undefined;
}

export interface RegisterWith {
  readonly username: string;
  readonly password: string;
  readonly email?: string | undefined;
  readonly invitation?: string | undefined;
  /** As at a login. */
  readonly audience?: string | undefined;
  readonly remember?: boolean | undefined;
}

export interface ChangePasswordWith {
  readonly current: string;
  readonly new: string;
  /** Code of the second factor, if the account has one: `ApiError` `OtpRequired`. */
  readonly otp?: string | undefined;
  /** true: app passwords stay good. */
  readonly keep_app_passwords?: boolean | undefined;
}

export interface ResetPasswordWith {
  readonly password: string;
  /** Code of the second factor, after `ApiError` `SecondFactorRequired`. */
  readonly otp?: string | undefined;
  /** As at a login. */
  readonly audience?: string | undefined;
  readonly remember?: boolean | undefined;
}

export interface DeleteAccountWith {
  readonly password: string;
  /** Code of the second factor, if the account has one: `ApiError` `OtpRequired`. */
  readonly otp?: string | undefined;
}

/** The options of fetch, and a token. */
export interface CallInit extends RequestInit {
  /**
   * Left out: the token of the session, if any. `false`: no token (public endpoints). A string: this
   * token instead (mailed tokens: finalize, reset_finalize); its refusal does not affect the session.
   */
  readonly token?: string | false | undefined;
}

export type Registered = { readonly loggedIn: true } | { readonly loggedIn: false; readonly message: string };

export interface Auth {
  /** The origin of lictor, without a slash at its end. */
  readonly api: string;
  /** The current state. */
  readonly state: AuthState;
  /** Whether the session is kept when the browser closes (`remember`). */
  readonly remembers: boolean;
  /** Calls `listener` after each change of `state`; returns a function that ends this. */
  subscribe(listener: () => void): () => void;

  /** POST /api/login. Rejects with ApiError (AuthenticationError, SecondFactorRequired, WrongOtp, TooManyRequests …) or NetworkError. */
  logIn(credentials: LogInWith): Promise<void>;
  /** POST /api/registration. `loggedIn: false` with the server's message if the e-mail address must be confirmed first. */
  register(account: RegisterWith): Promise<Registered>;
  /** POST /api/reset_finalize with a mailed token: begins a session. Resolves to the username. */
  resetPassword(mailedToken: string, reset: ResetPasswordWith): Promise<string>;
  /** PUT /api/password: ends every session of the user and begins a new one for all tabs. */
  changePassword(change: ChangePasswordWith): Promise<void>;
  /** Begins a session with an access token from another endpoint (finalize). */
  accept(accessToken: string, options?: { readonly remember?: boolean | undefined }): void;

  /** Logs out all tabs of the session at once, then ends it at the server. Resolves to whether the server confirmed that. Never rejects. */
  logOut(): Promise<boolean>;
  /** Ends all sessions of the user. Rejects, and stays logged in, if the server does not confirm it. */
  logOutEverywhere(): Promise<void>;
  /** DELETE /api/me: deletes the account, and its token and device value in this browser. */
  deleteAccount(proof: DeleteAccountWith): Promise<void>;
  /** Deletes the token in all tabs without telling the server, after a session that has ended there. */
  forget(reason?: LogOutReason): void;

  /**
   * fetch with the token: refreshes an expired token first, and makes a second attempt after a 401
   * ExpiredAccessError. `path` begins with '/'. Resolves for 2xx only; otherwise rejects with ApiError,
   * NetworkError, or the reason of your `signal`.
   */
  fetch(path: string, init?: CallInit): Promise<Response>;
  /** Like `fetch`, with a JSON body and a JSON answer; `undefined` for an empty answer. `await auth.call<Me>('GET', '/api/me')` */
  call<T = unknown>(method: string, path: string, body?: unknown, init?: CallInit): Promise<T>;
  /** A valid token, for services of your own; null when logged out. Rejects like fetch, also if another user logs in during a refresh. */
  token(): Promise<string | null>;
  /**
   * For adapters to other libraries: lictor has refused a request that carried this token, with the error of
   * this name. Resolves to the token of the same user for a second attempt, after a refresh if it has expired,
   * or null. Ends the session if the error is final. Rejects if the refresh fails.
   */
  refused(token: string, error: string): Promise<string | null>;
  /** Probes the server now (for a button "try again"). Resolves to whether it can be reached. */
  retry(): Promise<boolean>;

  /** Ends timers and listeners, for tests and hot reload. Apps do not need it. */
  close(): void;
}
