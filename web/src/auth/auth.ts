// Owns the Auth of an app. Connects vault, device, line, turns and session, and sends the requests of the
// app. Knows nothing of React.

import { unlessAborted } from './abort.js';
import { readRoles } from './claims.js';
import { createDevice } from './device.js';
import type { Environment } from './environment.js';
import { ApiError, field, NetworkError, parsed, refusal } from './errors.js';
import { createLine } from './line.js';
import { createSession } from './session.js';
import { sturdy } from './storage.js';
import { createTurns } from './turns.js';
import type {
  Auth, AuthOptions, AuthState, CallInit, ChangePasswordWith, DeleteAccountWith, LogInWith, RegisterWith, Registered,
  ResetPasswordWith,
} from './types.js';
import { createVault } from './vault.js';

/** `createAuth` with the browser features of `env`, which tests replace. */
export function createAuthIn(browser: Environment, options: AuthOptions = {}): Auth {
  const { api = '', storageKey = 'lictor.auth', fetch = browser.fetch } = options;
  const env = { ...browser, fetch };
  const listeners = new Set<() => void>();
  const line = createLine(env, api, () => {
    if (!line.offline) session.wake();
    publish();
  });
  const vault = createVault(env, storageKey, () => session.look());
  const device = createDevice(sturdy(env.local), `${storageKey}.device`);
  const session = createSession(env, line, vault, createTurns(env, `${storageKey}.turn`), publish);
  const endSignals = env.onSignal(() => {
    if (line.offline) void line.probe();
    session.wake();
  });
  let state = snapshot();

  function snapshot(): AuthState {
    const claims = session.held?.claims ?? null;
    const roles = claims === null ? NO_ROLES : readRoles(claims);
    return Object.freeze({ loggedIn: claims !== null, claims, roles, reason: session.reason, offline: line.offline });
  }

  function publish(): void {
    const next = snapshot();
    // The roles need no comparison: they come from the claims.
    const same = next.claims === state.claims && next.reason === state.reason && next.offline === state.offline;
    if (same) return;
    state = next;
    for (const listener of [...listeners]) listener();
  }

  async function request(path: string, { token, ...init }: CallInit = {}): Promise<Response> {
    if (token !== undefined) return accepted(await line.send(path, bearing(token || null, init)), init);
    const used = await unlessAborted(init.signal, session.ready());
    init.signal?.throwIfAborted();
    const response = await line.send(path, bearing(used?.token ?? null, init));
    if (response.ok || used === null) return accepted(response, init);
    const error = await refusal(response, init.signal);
    const next = await unlessAborted(init.signal, session.refused(used, error));
    // The first attempt has consumed a stream.
    if (next === null || init.body instanceof ReadableStream) throw error;
    init.signal?.throwIfAborted();
    const again = await line.send(path, bearing(next.token, init));
    if (again.ok) return again;
    const final = await refusal(again, init.signal);
    session.judge(next, final);
    throw final;
  }

  async function call<T>(method: string, path: string, body?: unknown, init: CallInit = {}): Promise<T> {
    const headers = new Headers(init.headers);
    if (body !== undefined) headers.set('Content-Type', 'application/json');
    const json = body === undefined ? {} : { body: JSON.stringify(body) };
    return answer(await request(path, { ...init, ...json, method, headers }), init) as Promise<T>;
  }

  // Without a content type, so that the browser sends no preflight.
  async function post(path: string, body: object, token: string | false = false): Promise<unknown> {
    return answer(await request(path, { method: 'POST', body: known(body), token }));
  }

  function known(body: object): string {
    return JSON.stringify({ ...body, device: device.read() });
  }

  function begin(json: unknown, remember?: boolean): void {
    session.begin(field(json, 'access_token') ?? '', remember);
    if (session.held !== null) device.write(field(json, 'device'), session.held.claims.id);
  }

  async function logIn({ remember = true, ...credentials }: LogInWith): Promise<void> {
    // The cookie lasts as long as the token.
    const cookie = credentials.cookie && !remember ? { remember } : {};
    begin(await post('/api/login', { ...credentials, ...cookie }), remember);
  }

  async function register({ remember = true, ...account }: RegisterWith): Promise<Registered> {
    const json = await post('/api/registration', account);
    if (field(json, 'access_token') === undefined) return { loggedIn: false, message: field(json, 'message') ?? '' };
    begin(json, remember);
    return { loggedIn: true };
  }

  async function resetPassword(token: string, { remember = true, ...reset }: ResetPasswordWith): Promise<string> {
    const json = await post('/api/reset_finalize', reset, token);
    begin(json, remember);
    return field(json, 'user') ?? '';
  }

  async function changePassword(change: ChangePasswordWith): Promise<void> {
    begin(await answer(await request('/api/password', { method: 'PUT', body: known(change) })));
  }

  async function deleteAccount(proof: DeleteAccountWith): Promise<void> {
    const user = session.look()?.claims.id;
    await call('DELETE', '/api/me', proof);
    if (user !== undefined) device.remove(user);
    // Another user may have logged in meanwhile.
    if (session.look()?.claims.id === user) session.end('user');
  }

  async function logOut(): Promise<boolean> {
    const held = session.look();
    if (held === null) return true;
    session.end('user');
    return revoke(held.token).catch(() => false);
  }

  // Ends the session at the server. A token that has just expired cannot log out, but the token for which
  // it is exchanged can.
  async function revoke(token: string): Promise<boolean> {
    const response = await line.sendBriefly('/api/logout', bearing(token, { method: 'POST', keepalive: true }));
    if (response.ok) return true;
    const { error } = await refusal(response);
    if (error !== 'ExpiredAccessError') return OVER.includes(error);
    const renewed = await line.sendBriefly('/api/refresh', { method: 'POST', body: token, keepalive: true });
    if (!renewed.ok) return OVER.includes((await refusal(renewed)).error);
    const next = field(parsed(await renewed.text()), 'access_token') ?? '';
    return (await line.sendBriefly('/api/logout', bearing(next, { method: 'POST', keepalive: true }))).ok;
  }

  async function logOutEverywhere(): Promise<void> {
    const jti = session.look()?.claims.jti;
    await request('/api/logout/all', { method: 'POST' });
    // Another session may have begun meanwhile.
    if (session.look()?.claims.jti === jti) session.end('user');
  }

  return {
    api: line.base,
    get state() {
      return state;
    },
    get remembers() {
      return vault.remembers();
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    logIn,
    register,
    resetPassword,
    changePassword,
    accept: (token, { remember = true } = {}) => session.begin(token, remember),
    logOut,
    logOutEverywhere,
    deleteAccount,
    forget: (reason = 'user') => session.end(reason),
    fetch: request,
    call,
    token: async () => (await session.ready())?.token ?? null,
    refused: async (token, error) => (await session.refused({ token }, { error }))?.token ?? null,
    retry: () => line.probe(),
    close() {
      endSignals();
      vault.close();
      session.close();
      line.close();
      listeners.clear();
    },
  };
}

const NO_ROLES: readonly string[] = Object.freeze([]);
/** Refusals that mean that the session has ended already. */
const OVER = ['BlacklistedError', 'MissingUserError', 'ExpiredRefreshError'];

function bearing(token: string | null, init: RequestInit): RequestInit {
  const headers = new Headers(init.headers);
  if (token !== null) headers.set('Authorization', `Bearer ${token}`);
  return { ...init, headers };
}

async function accepted(response: Response, { signal }: RequestInit): Promise<Response> {
  if (!response.ok) throw await refusal(response, signal);
  return response;
}

async function answer(response: Response, { signal }: RequestInit = {}): Promise<unknown> {
  const text = await response.text().catch(error => {
    signal?.throwIfAborted();
    throw new NetworkError(error);
  });
  if (text === '') return undefined;
  const json = parsed(text);
  if (json === undefined) throw new ApiError('HttpError', response.status, 'The answer is not JSON');
  return json;
}
