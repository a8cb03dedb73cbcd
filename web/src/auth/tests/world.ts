// Owns a simulated world whose time moves only when a test says so: a server, the storage of a browser, and
// tabs, each with a clock that may be wrong.

import { createAuthIn } from '../auth.js';
import type { Channel, Environment, Locks } from '../environment.js';
import type { Area } from '../storage.js';
import type { Auth, AuthOptions } from '../types.js';
import { Server } from './server.js';

const START = Date.UTC(2026, 0, 15, 12);
const LATENCY_MS = 20;

export type Network = 'up' | 'down' | 'loses answers' | 'hangs';

interface Timer {
  at: number;
  run: () => void;
}

export interface TabOptions extends AuthOptions {
  /** Its clock minus the server's. */
  skew?: number;
  locks?: boolean;
  /** Its sessionStorage; another tab's, to duplicate that tab. */
  session?: Memory | null;
  local?: Area | null;
}

export interface Tab {
  readonly auth: Auth;
  readonly session: Memory;
  /** Every published state. */
  readonly states: string[];
  skew: number;
  /** The event of a browser whose page becomes visible again. */
  signal(): void;
  /** While true, nothing runs in it: a frozen tab, a sleeping laptop. */
  frozen: boolean;
}

export class World {
  time = START;
  network: Network = 'up';
  readonly server = new Server(() => this.time);
  readonly local = new Memory();
  readonly tabs: FakeTab[] = [];
  readonly #timers = new Set<Timer>();
  readonly #locks = new Map<string, Promise<unknown>>();
  readonly channels = new Set<{ name: string; tab: FakeTab; receive: (message: unknown) => void }>();

  tab(options: TabOptions = {}): Tab {
    const tab = new FakeTab(this, options);
    this.tabs.push(tab);
    tab.auth = createAuthIn(tab.environment(options), options.api === undefined ? {} : { api: options.api });
    tab.auth.subscribe(() => {
      const { loggedIn, reason, offline } = tab.auth.state;
      tab.states.push([loggedIn ? 'in' : 'out', reason, offline ? 'offline' : null].filter(Boolean).join(' '));
    });
    return tab;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at: this.time + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Lets time pass, and runs the timers that end in it. */
  async pass(ms: number): Promise<void> {
    const end = this.time + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].sort((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#timers.delete(next);
      this.time = Math.max(this.time, next.at);
      next.run();
    }
    this.time = end;
    await settled();
  }

  /** Lets time pass while no tab runs: the laptop sleeps. */
  async sleep(ms: number): Promise<void> {
    this.time += ms;
    for (const timer of this.#timers) timer.at += ms;
    await settled();
  }

  /** Lets time pass until the promise settles; resolves to its value. */
  async outcome<T>(asking: Promise<T>, limit = 60_000): Promise<T | unknown> {
    let done = false;
    const settling = asking.then(value => ((done = true), value), error => ((done = true), error as unknown));
    for (let waited = 0; !done && waited < limit; waited += 10) await this.pass(10);
    if (!done) throw new Error('the promise does not settle');
    return settling;
  }

  async lock<T>(name: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const before = this.#locks.get(name) ?? Promise.resolve();
    let release = () => {};
    const mine = new Promise<void>(done => (release = done));
    this.#locks.set(name, before.then(() => mine));
    const aborted = new Promise<'aborted'>(done => signal.addEventListener('abort', () => done('aborted')));
    if ((await Promise.race([before, aborted])) === 'aborted') {
      release();
      throw new DOMException('waited too long', 'AbortError');
    }
    return work().finally(release);
  }

  fetch(url: string, init: RequestInit): Promise<Response> {
    return new Promise((done, failed) => {
      const fail = () => failed(new TypeError('Failed to fetch'));
      init.signal?.addEventListener('abort', () => failed(init.signal!.reason));
      if (init.signal?.aborted) return failed(init.signal.reason);
      const network = this.network;
      this.after(LATENCY_MS, () => {
        if (network === 'down') return fail();
        const { pathname } = new URL(url);
        const response = this.server.answer(init.method ?? 'GET', pathname, new Headers(init.headers), String(init.body ?? ''));
        if (network === 'hangs') return;
        this.after(LATENCY_MS, network === 'loses answers' ? fail : () => done(response));
      });
    });
  }

  stored(tab: FakeTab, key: string | null): void {
    for (const other of this.tabs) {
      if (other !== tab) this.after(1, () => other.thawed(() => other.hearsStorage(key)));
    }
  }
}

class FakeTab implements Tab {
  auth!: Auth;
  session: Memory;
  states: string[] = [];
  skew: number;
  hearsStorage: (key: string | null) => void = () => {};
  #signal: () => void = () => {};
  #waiting: (() => void)[] | null = null;
  readonly #world: World;

  constructor(world: World, { skew = 0, session }: TabOptions) {
    this.#world = world;
    this.skew = skew;
    this.session = session ? session.copy() : new Memory();
  }

  signal(): void {
    this.#signal();
  }

  get frozen(): boolean {
    return this.#waiting !== null;
  }

  set frozen(is: boolean) {
    const waited = this.#waiting ?? [];
    this.#waiting = is ? waited : null;
    if (!is) waited.forEach(run => run());
  }

  // Events for a frozen tab wait.
  thawed(run: () => void): void {
    if (this.#waiting !== null) this.#waiting.push(run);
    else run();
  }

  environment({ locks = false, session, local }: TabOptions): Environment {
    const world = this.#world;
    const shared: Area = {
      getItem: key => world.local.getItem(key),
      setItem: (key, value) => (world.local.setItem(key, value), world.stored(this, key)),
      removeItem: key => (world.local.removeItem(key), world.stored(this, key)),
    };
    const webLocks: Locks = { request: (name, { signal }, work) => world.lock(name, signal, work) };
    let seed = world.tabs.length + 1;
    return {
      origin: 'http://192.168.1.10:5000',
      local: local === undefined ? shared : local,
      session: session === null ? null : this.session,
      locks: locks ? webLocks : null,
      fetch: (url, init) => world.fetch(url, init),
      now: () => world.time + this.skew,
      random: () => (seed = (seed * 16807) % 2147483647) / 2147483647,
      after: (ms, run) => world.after(ms, () => this.thawed(run)),
      channel: (name, receive) => this.#channel(name, receive),
      onSignal: heard => ((this.#signal = heard), () => (this.#signal = () => {})),
      onStorage: heard => ((this.hearsStorage = heard), () => (this.hearsStorage = () => {})),
    };
  }

  #channel(name: string, receive: (message: unknown) => void): Channel {
    const mine = { name, tab: this, receive };
    this.#world.channels.add(mine);
    const post = (message: unknown) => {
      for (const other of this.#world.channels) {
        if (other !== mine && other.name === name) this.#world.after(1, () => other.tab.thawed(() => other.receive(message)));
      }
    };
    return { post, close: () => void this.#world.channels.delete(mine) };
  }
}

export class Memory implements Area {
  readonly #kept = new Map<string, string>();

  getItem(key: string): string | null {
    return this.#kept.get(key) ?? null;
  }

  setItem(key: string, value: string): void {
    this.#kept.set(key, value);
  }

  removeItem(key: string): void {
    this.#kept.delete(key);
  }

  copy(): Memory {
    const copy = new Memory();
    for (const [key, value] of this.#kept) copy.setItem(key, value);
    return copy;
  }

  get text(): string {
    return JSON.stringify([...this.#kept]);
  }
}

/** Throws at every use, like storage that the user has blocked. */
export const BLOCKED: Area = {
  getItem: blocked,
  setItem: blocked,
  removeItem: blocked,
};

function blocked(): never {
  throw new DOMException('The operation is insecure.', 'SecurityError');
}

// Runs all pending promise callbacks, without time passing.
async function settled(): Promise<void> {
  for (let i = 0; i < 4; i++) await new Promise(done => setImmediate(done));
}
