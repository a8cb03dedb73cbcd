// Owns an adapter: the token in the requests of an axios instance. Uses the public interface of Auth alone,
// and of axios only what is declared here, so that it imports nothing of it.

import { unlessAborted, type Signal } from './abort.js';
import { field, parsed } from './errors.js';
import { reachOf, type AdapterOptions } from './reach.js';
import type { Auth } from './types.js';

export type { AdapterOptions };

/** What is used of an instance of axios 1. */
export interface AxiosInstanceLike {
  request(config: any): Promise<any>;
  getUri(config?: any): string;
  interceptors: { request: InterceptorsLike; response: InterceptorsLike };
}

interface InterceptorsLike {
  use(fulfilled: (value: any) => any, rejected?: (error: any) => any): number;
  eject(id: number): void;
}

interface Config {
  headers: { has(name: string): boolean; get(name: string): unknown; set(name: string, value: string): unknown; delete(name: string): unknown };
  auth?: unknown;
  data?: unknown;
  transformRequest?: unknown;
  signal?: Signal;
  [MARK]?: string;
}

interface Answer {
  status: number;
  data: unknown;
  config: Config;
}

/** What an attempt came to. */
type Outcome = { readonly value: unknown } | { readonly error: unknown };

/** In the config of a request to which the token was added. axios copies it; a symbol would be lost. */
const MARK = 'lictorAuth';

/**
 * Adds the token to the requests of the instance that go to lictor, refreshes it if it has expired, and then
 * makes a second attempt. Requests to other origins, and those with an `Authorization` or `auth` of their
 * own, are sent as they are. Call it before the instance gets other interceptors, so that the token is added
 * to the final URL. Returns a function that ends this. A request rejects with ApiError or NetworkError if the
 * token cannot be refreshed.
 */
export function connectAxios(auth: Auth, instance: AxiosInstanceLike, options: AdapterOptions = {}): () => void {
  const reach = reachOf(auth, options);
  // The tokens of second attempts that are about to be sent, by their mark.
  const seconds = new Map<string, string>();
  // What second attempts came to when they passed here, by their mark.
  const outcomes = new Map<string, Outcome>();
  let last = 0;

  // axios transforms a request after all interceptors, and one of them may have changed the URL.
  function guard(this: Config, data: unknown, headers: Config['headers']): unknown {
    if (this[MARK] !== undefined && !reach.gets(instance.getUri(this))) headers.delete('Authorization');
    return data;
  }

  async function prepare(config: Config): Promise<Config> {
    const mark = config[MARK];
    if (mark === undefined && (config.auth !== undefined || config.headers.has('Authorization'))) return config;
    const second = mark === undefined ? undefined : seconds.get(mark);
    if (mark !== undefined) {
      // Another library may send the config of an earlier request again, to another URL too.
      config.headers.delete('Authorization');
      seconds.delete(mark);
      delete config[MARK];
    }
    if (!reach.gets(instance.getUri(config))) return config;
    const token = second ?? (await unlessAborted(config.signal, auth.token()).catch(orAborted(config)));
    if (token === null) return config;
    config.headers.set('Authorization', `Bearer ${token}`);
    config[MARK] = second === undefined ? `${FIRST}${(last += 1)}` : `${SECOND}${mark}`;
    const transforms = [config.transformRequest ?? []].flat();
    if (!transforms.includes(guard)) config.transformRequest = [...transforms, guard];
    return config;
  }

  // The outcome of a second attempt, which takes the place of a refusal, or null.
  async function repeated({ status, data, config }: Answer): Promise<Outcome | null> {
    const mark = config[MARK];
    if (mark === undefined || (status !== 401 && status !== 403) || !reach.isLictor(instance.getUri(config))) return null;
    const name = await nameIn(data);
    const token = String(config.headers.get('Authorization')).replace('Bearer ', '');
    const isSecond = mark.startsWith(SECOND);
    // A second refusal for the same reason needs no other refresh.
    if (name === undefined || (isSecond && name === 'ExpiredAccessError')) return null;
    // If the refresh fails, the first refusal is the answer.
    const next = await unlessAborted(config.signal, auth.refused(token, name)).catch(() => null);
    // A second attempt that is aborted already is never sent: axios rejects it with an error of its own.
    const isAborted = config.signal?.aborted;
    if (!isAborted && (next === null || isSecond || isStream(config.data))) return null;
    seconds.set(mark, next ?? token);
    const whole: Outcome = await instance.request(config).then(value => ({ value }), (error: unknown) => ({ error }));
    // The interceptors after this one have run on the second answer, and will run on what is returned here.
    const outcome = outcomes.get(SECOND + mark) ?? whole;
    outcomes.delete(SECOND + mark);
    return outcome;
  }

  // Hands the outcome on, and keeps that of a second attempt for the first.
  function passed(config: Config | undefined, outcome: Outcome): unknown {
    const mark = config?.[MARK];
    if (mark?.startsWith(SECOND)) outcomes.set(mark, outcome);
    if ('error' in outcome) throw outcome.error;
    return outcome.value;
  }

  // Also refusals that `validateStatus` takes for answers.
  async function answered(answer: Answer | null | undefined): Promise<unknown> {
    // An interceptor of the app may have put the data in the place of the answer.
    if (typeof answer?.config !== 'object' || answer.config === null) return answer;
    return passed(answer.config, (await repeated(answer)) ?? { value: answer });
  }

  async function failed(error: { response?: Answer; config?: Config; code?: string }): Promise<unknown> {
    if (error.response?.config !== undefined) return passed(error.config, (await repeated(error.response)) ?? { error });
    if (error.code !== 'ERR_CANCELED' && error.config?.[MARK] !== undefined && reach.isLictor(instance.getUri(error.config))) {
      // Finds out whether the server can be reached, for `state.offline`.
      void auth.retry();
    }
    return passed(error.config, { error });
  }

  const { request, response } = instance.interceptors;
  const asking = request.use(prepare);
  const answering = response.use(answered, failed);
  return () => {
    request.eject(asking);
    response.eject(answering);
  };
}

const FIRST = 'first ';
const SECOND = 'second ';

// axios rejects a request that is aborted, with an error of its own.
function orAborted({ signal }: Config): (error: unknown) => null {
  return error => {
    if (signal?.aborted) return null;
    throw error;
  };
}

// The name of lictor's error, in the form of any `responseType` but a stream, which only the app can read.
async function nameIn(data: unknown): Promise<string | undefined> {
  if (typeof data === 'string') return field(parsed(data), 'error');
  if (data instanceof ArrayBuffer || ArrayBuffer.isView(data)) return field(parsed(new TextDecoder().decode(data)), 'error');
  if (data instanceof Blob) return field(parsed(await data.text()), 'error');
  return field(data, 'error');
}

// The first attempt has consumed it.
function isStream(data: unknown): boolean {
  return data instanceof ReadableStream || typeof (data as { pipe?: unknown } | null | undefined)?.pipe === 'function';
}
