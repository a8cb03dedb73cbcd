// Owns the tests of the adapters: fetch, openapi-fetch with it, and axios, each with the real library, in
// the simulated world. Every rule is checked for all of them.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import createClient from 'openapi-fetch';
import { connectAxios } from '../axios.js';
import { authFetch } from '../fetch.js';
import { ApiError, NetworkError, type Auth } from '../index.js';
import { json, refuse } from './server.js';
import { World } from './world.js';

const ADA = { username: 'ada', password: 'right' };
const API = 'http://192.168.1.10:5000';

interface Sent {
  url: string;
  token: string | null;
  body: string;
}

interface Asked {
  status: number;
  text: string;
}

interface Ways {
  readonly world: World;
  readonly auth: Auth;
  /** What the network was asked to send by the adapter. */
  readonly sent: Sent[];
  readonly fetch: typeof globalThis.fetch;
}

interface Init {
  body?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

type Ask = (url: string, init?: Init) => Promise<Asked>;

interface Paths {
  [path: `/${string}`]: { post: { requestBody: { content: { 'application/json': unknown } }; responses: { 200: { content: { 'text/plain': string } } } } };
}

const LIBRARIES: Record<string, (ways: Ways, origins?: string[]) => Ask> = {
  fetch: ({ auth, fetch }, origins = []) => {
    const send = authFetch(auth, { fetch, origins });
    return async (url, init) => asked(await send(url, { method: 'POST', ...init }));
  },
  'fetch with a Request': ({ auth, fetch }, origins = []) => {
    const send = authFetch(auth, { fetch, origins });
    return async (url, init) => asked(await send(new Request(url, { method: 'POST', ...init })));
  },
  'openapi-fetch': ({ auth, fetch }, origins = []) => {
    const send = authFetch(auth, { fetch, origins });
    return async (url, init) => {
      const { origin, pathname } = new URL(url);
      const client = createClient<Paths>({ baseUrl: origin, fetch: send });
      const { body, ...rest } = init ?? {};
      const { response, data, error } = await client.POST(pathname as '/', { ...rest, body, bodySerializer: String, parseAs: 'text' });
      return { status: response.status, text: data ?? (typeof error === 'string' ? error : JSON.stringify(error)) };
    };
  },
  axios: ({ auth, fetch }, origins = []) => axiosAsk(auth, axios.create(withFetch(fetch)), origins),
  'axios with every status as an answer': ({ auth, fetch }, origins = []) =>
    axiosAsk(auth, axios.create({ ...withFetch(fetch), validateStatus: () => true }), origins),
  'axios with a Blob': ({ auth, fetch }, origins = []) => axiosAsk(auth, axios.create({ ...withFetch(fetch), responseType: 'blob' }), origins),
};

function withFetch(fetch: typeof globalThis.fetch) {
  return { adapter: 'fetch', env: { fetch } };
}

function axiosAsk(auth: Auth, instance: AxiosInstance, origins: string[]): Ask {
  connectAxios(auth, instance, { origins });
  return async (url, { body, ...init } = {}) => {
    const answer = await instance.post(url, body, init).catch((error: { response?: AxiosResponse }) => {
      if (error.response === undefined) throw error;
      return error.response;
    });
    const { status, data } = answer as AxiosResponse<unknown>;
    return { status, text: data instanceof Blob ? await data.text() : typeof data === 'string' ? data : JSON.stringify(data) };
  };
}

async function asked(response: Response): Promise<Asked> {
  return { status: response.status, text: await response.text() };
}

async function loggedIn(): Promise<Ways> {
  const world = new World();
  const tab = world.tab();
  await world.outcome(tab.auth.logIn(ADA));
  world.server.log = [];
  const sent: Sent[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const body = await request.text();
    const { url, method, headers, signal } = request;
    sent.push({ url, token: headers.get('Authorization'), body });
    return world.fetch(url, { method, headers, signal, ...(body && { body }) });
  };
  return { world, auth: tab.auth, sent, fetch };
}

// What the server answers to the next requests, refreshes apart. Null: what it would answer anyway.
function inTurn(ways: Ways, ...answers: (Response | null)[]) {
  ways.world.server.instead = path => (path === '/api/refresh' ? null : (answers.shift() ?? null));
}

async function bearer({ auth }: Ways): Promise<string> {
  return `Bearer ${await auth.token()}`;
}

for (const [name, library] of Object.entries(LIBRARIES)) {
  const each = (what: string, run: (ways: Ways, ask: (url: string, init?: Init) => Promise<Asked | unknown>) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const ways = await loggedIn();
      const ask = library(ways);
      await run(ways, (url, init) => ways.world.outcome(ask(url, init)));
    });

  each('the token goes to lictor alone', async (ways, ask) => {
    const token = await bearer(ways);
    for (const [url, expected] of [
      [`${API}/api/me`, token],
      [`${API.toUpperCase()}/api/me`, token],
      ['http://evil.example/api/me', null],
      ['http://192.168.1.10/api/me', null],
      ['http://192.168.1.10:5001/api/me', null],
      ['https://192.168.1.10:5000/api/me', null],
      ['http://192.168.1.10.evil.example:5000/api/me', null],
      ['http://evil.example/http://192.168.1.10:5000/api/me', null],
      ['http://evil.example\\@192.168.1.10:5000/api/me', null],
    ] as const) {
      await ask(url);
      assert.equal(ways.sent.at(-1)!.token, expected, url);
    }
    assert.equal(ways.sent.length, 9);
  });

  test(`${name}: the token goes to origins that the app names`, async () => {
    const ways = await loggedIn();
    const ask = library(ways, ['https://api.example']);
    await ways.world.outcome(ask('https://api.example/things'));
    assert.equal(ways.sent.at(-1)!.token, await bearer(ways));
    await ways.world.outcome(ask('https://api.example.evil.example/things'));
    assert.equal(ways.sent.at(-1)!.token, null);
    // Only lictor's refusals concern the session.
    inTurn(ways, refuse(403, 'BlacklistedError'));
    await ways.world.outcome(ask('https://api.example/things'));
    assert.equal(ways.auth.state.loggedIn, true);
    for (const wrong of ['api.example', 'https://api.example/', 'https://api.example/v1', '*', 'null', '']) {
      assert.throws(() => library(ways, [wrong]), TypeError, wrong);
    }
  });

  each('an expired token is refreshed before a request', async (ways, ask) => {
    await ways.world.sleep(3_600_000);
    assert.deepEqual(await ask(`${API}/api/protected`), { status: 200, text: '{"message":"protected endpoint"}' });
    assert.deepEqual(ways.world.server.log, ['POST /api/refresh', 'POST /api/protected']);
  });

  each('a token that the server calls expired is refreshed, and the request repeated once, with its body', async (ways, ask) => {
    const old = await bearer(ways);
    await ways.world.sleep(850_000);
    inTurn(ways, refuse(401, 'ExpiredAccessError'));
    const outcome = (await ask(`${API}/api/echo`, { body: '{"a":"Zoë"}', headers: { 'Content-Type': 'application/json' } })) as Asked;
    assert.deepEqual([outcome.status, JSON.parse(outcome.text).body], [200, '{"a":"Zoë"}']);
    const next = await bearer(ways);
    assert.notEqual(next, old);
    assert.deepEqual(ways.sent.map(({ token, body }) => [token, body]), [[old, '{"a":"Zoë"}'], [next, '{"a":"Zoë"}']]);

    ways.sent.length = 0;
    await ways.world.sleep(850_000);
    inTurn(ways, refuse(401, 'ExpiredAccessError'), refuse(401, 'ExpiredAccessError'));
    assert.equal(((await ask(`${API}/api/echo`)) as Asked).status, 401);
    assert.equal(ways.sent.length, 2);
    assert.equal(ways.world.server.count('POST /api/refresh'), 2);
    assert.equal(ways.auth.state.loggedIn, true);
  });

  each('a final refusal ends the session, and is the answer', async (ways, ask) => {
    ways.world.server.endAll();
    const outcome = (await ask(`${API}/api/protected`)) as Asked;
    assert.deepEqual([outcome.status, JSON.parse(outcome.text).error], [403, 'BlacklistedError']);
    assert.deepEqual([ways.auth.state.loggedIn, ways.auth.state.reason, ways.sent.length], [false, 'revoked', 1]);
    // Without a session, requests go without a token.
    await ask(`${API}/api/protected`);
    assert.equal(ways.sent.at(-1)!.token, null);
  });

  each('a final refusal of the second attempt ends the session', async (ways, ask) => {
    await ways.world.sleep(850_000);
    inTurn(ways, refuse(401, 'ExpiredAccessError'), refuse(403, 'InvalidUserError'));
    assert.equal(((await ask(`${API}/api/protected`)) as Asked).status, 403);
    assert.deepEqual([ways.auth.state.reason, ways.sent.length], ['deactivated', 2]);
  });

  each('any other refusal is the answer, and keeps the session', async (ways, ask) => {
    for (const [status, error] of [[403, 'MissingRoleError'], [401, 'AuthenticationError'], [404, 'NotFound'], [500, 'InternalError']] as const) {
      inTurn(ways, refuse(status, error));
      const outcome = (await ask(`${API}/api/protected`)) as Asked;
      assert.deepEqual([outcome.status, JSON.parse(outcome.text).error], [status, error]);
    }
    inTurn(ways, new Response('<h1>not lictor</h1>', { status: 401 }));
    assert.deepEqual(await ask(`${API}/api/protected`), { status: 401, text: '<h1>not lictor</h1>' });
    assert.deepEqual([ways.auth.state.loggedIn, ways.sent.length], [true, 5]);
  });

  each('an Authorization of the app is sent as it is', async (ways, ask) => {
    inTurn(ways, refuse(401, 'ExpiredAccessError'));
    await ask(`${API}/api/finalize`, { headers: { Authorization: 'Bearer mailed' } });
    assert.deepEqual(ways.sent.map(({ token }) => token), ['Bearer mailed']);
    assert.equal(ways.auth.state.loggedIn, true);
  });

  each('a request that is aborted is not sent', async (ways, ask) => {
    assert.ok((await ask(`${API}/api/me`, { signal: AbortSignal.abort() })) instanceof Error);
    assert.equal(ways.world.server.count('POST /api/me'), 0);

    // While the token is refreshed.
    await ways.world.sleep(3_600_000);
    const stop = new AbortController();
    ways.world.after(10, () => stop.abort());
    assert.ok((await ask(`${API}/api/me`, { signal: stop.signal })) instanceof Error);
    await ways.world.pass(1000);
    assert.deepEqual(ways.world.server.log, ['POST /api/refresh']);
    assert.deepEqual([ways.auth.state.loggedIn, ways.auth.state.offline], [true, false]);
  });

  each('a request that is aborted while a refresh hangs does not wait for it', async (ways, ask) => {
    await ways.world.sleep(3_600_000);
    ways.world.network = 'hangs';
    const stop = new AbortController();
    const before = ways.world.time;
    ways.world.after(3000, () => stop.abort(new Error('left the page')));
    assert.ok((await ask(`${API}/api/me`, { signal: stop.signal })) instanceof Error);
    assert.equal(ways.world.time - before, 3000);
    assert.deepEqual([ways.sent.length, ways.auth.state.loggedIn, ways.auth.state.offline], [0, true, false]);
  });

  each('without a network it rejects, and the state says so', async (ways, ask) => {
    ways.world.network = 'down';
    const error = await ask(`${API}/api/protected`);
    assert.ok(error instanceof Error && !(error instanceof ApiError));
    await ways.world.pass(1000);
    assert.deepEqual([ways.auth.state.loggedIn, ways.auth.state.offline], [true, true]);
    await ways.world.sleep(3_600_000);
    assert.ok((await ask(`${API}/api/protected`)) instanceof NetworkError);
    ways.world.network = 'up';
    await ways.world.pass(60_000);
    assert.equal(((await ask(`${API}/api/protected`)) as Asked).status, 200);
  });
}

test('fetch: the answer of a refresh that failed is the answer', async () => {
  const ways = await loggedIn();
  await ways.world.sleep(3_600_000);
  ways.world.server.instead = () => refuse(429, 'TooManyRequests', { 'Retry-After': '17' });
  const response = (await ways.world.outcome(authFetch(ways.auth, { fetch: ways.fetch })(`${API}/api/me`))) as Response;
  assert.deepEqual([response.status, response.headers.get('Retry-After'), ways.sent.length], [429, '17', 0]);
  assert.deepEqual(await response.json(), { error: 'TooManyRequests', message: 'because of TooManyRequests', status_code: 429 });
});

test('fetch: a 200 without a token, as from the login page of a network, rejects', async () => {
  const ways = await loggedIn();
  await ways.world.sleep(3_600_000);
  ways.world.server.instead = () => new Response('<h1>Welcome to our hotel</h1>');
  const error = await ways.world.outcome(authFetch(ways.auth, { fetch: ways.fetch })(`${API}/api/me`));
  assert.ok(error instanceof ApiError);
  assert.deepEqual([error.status, ways.sent.length, ways.auth.state.loggedIn], [200, 0, true]);
});

test('fetch: the token goes to the URL that was checked, whatever becomes of the object meanwhile', async () => {
  const ways = await loggedIn();
  const url = new URL(`${API}/api/me`);
  const answer = authFetch(ways.auth, { fetch: ways.fetch })(url);
  url.href = 'http://evil.example/';
  await ways.world.outcome(answer);
  assert.deepEqual(ways.sent.map(({ url }) => url), [`${API}/api/me`]);
});

test('fetch: URLs that are not of http get no token, and no name or password makes a host of lictor', async () => {
  const ways = await loggedIn();
  const given: [string, string | null][] = [];
  const send = authFetch(ways.auth, {
    fetch: async (input, init) => (given.push([String(input), new Headers(init?.headers).get('Authorization')]), new Response()),
  });
  const urls = [`blob:${API}/5b1a`, 'data:,x', 'http://192.168.1.10:5000@evil.example/', 'http://192.168.1.10%3a5000@evil.example/', 'not a url'];
  for (const url of urls) await ways.world.outcome(send(url));
  assert.deepEqual(given, urls.map(url => [url, null]));
});

test('fetch: an answer is handed on unread', async () => {
  const ways = await loggedIn();
  const parts = new ReadableStream({ start: stream => (stream.enqueue(new TextEncoder().encode('part')), undefined) });
  const given = new Response(parts);
  ways.world.fetch = () => Promise.resolve(given);
  const response = await authFetch(ways.auth, { fetch: ways.fetch })(`${API}/api/long`, { method: 'POST' });
  assert.equal(response, given);
  const { value } = await response.body!.getReader().read();
  assert.equal(new TextDecoder().decode(value), 'part', 'although the stream has not ended');
});

test('fetch: a stream is sent once', async () => {
  const ways = await loggedIn();
  await ways.world.sleep(850_000);
  inTurn(ways, refuse(401, 'ExpiredAccessError'), refuse(401, 'ExpiredAccessError'));
  const send = authFetch(ways.auth, { fetch: ways.fetch });
  const old = await bearer(ways);
  const stream = () => new Blob(['a lot']).stream();
  const response = (await ways.world.outcome(send(`${API}/api/echo`, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit))) as Response;
  assert.deepEqual([response.status, ways.sent.length], [401, 1]);
  assert.notEqual(await bearer(ways), old, 'the next request has another token');
  // The body of a Request is kept until the answer.
  const request = new Request(`${API}/api/echo`, { method: 'POST', body: stream(), duplex: 'half' } as RequestInit);
  await ways.world.sleep(850_000);
  const again = (await ways.world.outcome(send(request))) as Response;
  assert.deepEqual([again.status, ways.sent.map(({ body }) => body)], [200, ['a lot', 'a lot', 'a lot']]);
});

test('axios: a stream is sent once', async () => {
  const ways = await loggedIn();
  await ways.world.sleep(850_000);
  inTurn(ways, refuse(401, 'ExpiredAccessError'));
  const instance = axios.create({ ...withFetch(ways.fetch), validateStatus: () => true });
  connectAxios(ways.auth, instance);
  const outcome = (await ways.world.outcome(instance.post(`${API}/api/echo`, new Blob(['a lot']).stream()))) as AxiosResponse;
  assert.deepEqual([outcome.status, ways.sent.length], [401, 1]);
});

test('axios: the base URL counts, whatever it is and whoever overrides it', async () => {
  const ways = await loggedIn();
  const instance = axios.create({ ...withFetch(ways.fetch), baseURL: `${API}/api`, validateStatus: () => true });
  connectAxios(ways.auth, instance);
  const token = await bearer(ways);
  for (const [url, config, expected] of [
    ['/me', {}, token],
    ['me', { params: { q: 'http://evil.example/' } }, token],
    ['http://evil.example/me', {}, null],
    ['//evil.example/me', {}, null],
    ['/me', { baseURL: 'http://evil.example' }, null],
  ] as const) {
    await ways.world.outcome(instance.get(url, config));
    assert.equal(ways.sent.at(-1)?.token ?? null, expected, url);
  }
});

test('axios: a config that is sent again, as libraries for retries do, gets the token of that time, and no other host does', async () => {
  const ways = await loggedIn();
  const instance = axios.create({ ...withFetch(ways.fetch), validateStatus: () => true });
  connectAxios(ways.auth, instance);
  const first = (await ways.world.outcome(instance.get(`${API}/api/me`))) as AxiosResponse;
  await ways.world.sleep(3_600_000);
  await ways.world.outcome(instance.request(first.config));
  assert.equal(ways.sent[1]!.token, await bearer(ways));
  assert.notEqual(ways.sent[1]!.token, ways.sent[0]!.token);
  await ways.world.outcome(instance.request({ ...first.config, url: 'http://evil.example/' }));
  assert.equal(ways.sent[2]!.token, null);
});

test('axios: an interceptor that puts the data in the place of the answer may be there before or after', async () => {
  for (const before of [true, false]) {
    const ways = await loggedIn();
    const instance = axios.create(withFetch(ways.fetch));
    const unwrap = () => instance.interceptors.response.use(answer => answer.data);
    if (before) unwrap();
    connectAxios(ways.auth, instance);
    if (!before) unwrap();
    const ask = () => ways.world.outcome(instance.get(`${API}/api/protected`));
    assert.deepEqual(await ask(), { message: 'protected endpoint' });
    await ways.world.sleep(850_000);
    inTurn(ways, refuse(401, 'ExpiredAccessError'));
    assert.deepEqual(await ask(), { message: 'protected endpoint' });
    assert.equal(ways.sent.length, 3);
    // An answer that is nothing is one, too.
    await ways.world.sleep(850_000);
    inTurn(ways, refuse(401, 'ExpiredAccessError'), new Response('null', { headers: { 'Content-Type': 'application/json' } }));
    assert.equal(await ask(), null);
  }
});

test('axios: an error of the second attempt passes the interceptors after this one, as that of the first would', async () => {
  const ways = await loggedIn();
  const instance = axios.create(withFetch(ways.fetch));
  connectAxios(ways.auth, instance);
  instance.interceptors.response.use(null, error => Promise.reject({ status: error.response.status, name: error.response.data.error }));
  await ways.world.sleep(850_000);
  inTurn(ways, refuse(401, 'ExpiredAccessError'), refuse(403, 'MissingRoleError'));
  const error = await ways.world.outcome(instance.get(`${API}/api/protected`));
  assert.deepEqual(error, { status: 403, name: 'MissingRoleError' });
});

test('axios: an interceptor that changes the URL after the token was added does not give the token away', async () => {
  const ways = await loggedIn();
  const instance = axios.create({ ...withFetch(ways.fetch), baseURL: API, validateStatus: () => true });
  instance.interceptors.request.use(config => Object.assign(config, { baseURL: 'http://evil.example' }));
  connectAxios(ways.auth, instance);
  await ways.world.outcome(instance.post('/api/me', { a: 1 }));
  assert.deepEqual(ways.sent, [{ url: 'http://evil.example/api/me', token: null, body: '{"a":1}' }]);
});

test('axios: Basic of the app is left alone, and a disconnected instance sends no token', async () => {
  const ways = await loggedIn();
  const instance = axios.create({ ...withFetch(ways.fetch), validateStatus: () => true });
  const disconnect = connectAxios(ways.auth, instance);
  await ways.world.outcome(instance.get(`${API}/api/me`, { auth: { username: 'ada', password: 'x' } }));
  assert.match(ways.sent[0]!.token!, /^Basic /);
  disconnect();
  await ways.world.outcome(instance.get(`${API}/api/me`));
  assert.equal(ways.sent[1]!.token, null);
});

test('axios: a request that is aborted during the refresh after a refusal is cancelled', async () => {
  for (const refusals of [['ExpiredAccessError'], ['ExpiredAccessError', 'InvalidTokenHeader']]) {
    for (const validateStatus of [axios.defaults.validateStatus!, () => true]) {
      const ways = await loggedIn();
      const instance = axios.create({ ...withFetch(ways.fetch), validateStatus });
      connectAxios(ways.auth, instance);
      instance.interceptors.response.use(null, error => Promise.reject({ cancelled: axios.isCancel(error) }));
      await ways.world.sleep(850_000);
      const stop = new AbortController();
      ways.world.server.instead = path => {
        if (path !== '/api/refresh') return refuse(401, refusals[ways.sent.length - 1]!);
        if (ways.sent.length === refusals.length) ways.world.after(10, () => stop.abort());
        return null;
      };
      const outcome = await ways.world.outcome(instance.post(`${API}/api/echo`, 'x', { signal: stop.signal }));
      assert.deepEqual(outcome, { cancelled: true }, refusals.join());
      await ways.world.pass(1000);
      assert.deepEqual([ways.sent.length, ways.auth.state.loggedIn], [refusals.length, true]);
    }
  }
});

test('axios: a refresh that failed rejects the request', async () => {
  const ways = await loggedIn();
  await ways.world.sleep(3_600_000);
  ways.world.server.instead = () => json({ error: 'Unavailable', message: 'no' }, 503);
  const instance = axios.create(withFetch(ways.fetch));
  connectAxios(ways.auth, instance);
  const error = await ways.world.outcome(instance.get(`${API}/api/me`));
  assert.ok(error instanceof ApiError && error.error === 'Unavailable');
  assert.equal(ways.sent.length, 0);
});
