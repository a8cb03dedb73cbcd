// Owns the turns of the tabs: one tab at a time does the work. Knows nothing of the work.
//
// Web Locks give turns where the browser has them. On plain http in a LAN it has none, and a lease in
// localStorage replaces them: an entry with the id of its holder and its end. Two tabs that take it in
// the same instant may both proceed. The server tolerates that: a token that is exchanged twice within
// 30 s gives the same new token. So the lease may fail rarely, and a tab that hangs loses its turn.

import type { Environment } from './environment.js';
import type { Area } from './storage.js';

/** Longer than a turn (the time limit of a request), and well below the server's 30 s. */
export const LEASE_MS = 12_000;
/** After this wait, the work is done without a turn. */
export const PATIENCE_MS = 15_000;
/** Nearly always, the other tabs see a write to the storage within this time. */
export const SETTLE_MS = 40;
const POLL_MS = 150;

export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(env: Environment, name: string): Turns {
  if (env.locks !== null) return byLock(env, name);
  return env.local !== null ? byLease(env, env.local, name) : work => work();
}

function byLock(env: Environment, name: string): Turns {
  return work =>
    new Promise((done, failed) => {
      const waiting = new AbortController();
      const cancel = env.after(PATIENCE_MS, () => waiting.abort());
      let begun = false;
      const turn = async () => {
        cancel();
        begun = true;
        await work().then(done, failed);
        // The next tab may get the lock before it sees what this one wrote, and would repeat the work.
        // The caller does not wait for this pause.
        await sleep(env, SETTLE_MS);
      };
      // The wait was too long, or this page may not use locks.
      env.locks!.request(name, { signal: waiting.signal }, turn).catch(error => (begun ? failed(error) : turn()));
    });
}

function byLease(env: Environment, area: Area, name: string): Turns {
  return async work => {
    const id = `${env.now().toString(36)}-${env.random().toString(36).slice(2)}`;
    await taken(env, area, name, id);
    try {
      return await work();
    } finally {
      if (holder(area, name)?.id === id) write(area, name, null);
    }
  };
}

async function taken(env: Environment, area: Area, name: string, id: string): Promise<void> {
  for (let waited = 0; waited < PATIENCE_MS; ) {
    if (isFree(holder(area, name), env.now())) {
      write(area, name, `${id} ${env.now() + LEASE_MS}`);
      await sleep(env, SETTLE_MS);
      waited += SETTLE_MS;
      const found = holder(area, name);
      // If nothing can be written, waiting is pointless.
      if (found === null || found.id === id) return;
    } else {
      await sleep(env, POLL_MS);
      waited += POLL_MS;
    }
  }
}

interface Holder {
  readonly id: string;
  readonly until: number;
}

// Whether the lease has ended. If it ends too late for any lease, the clock was set back after it was written.
function isFree(held: Holder | null, now: number): boolean {
  return held === null || held.until <= now || held.until > now + LEASE_MS;
}

function holder(area: Area, name: string): Holder | null {
  try {
    const [id, until] = (area.getItem(name) ?? '').split(' ');
    return id && until && Number.isFinite(Number(until)) ? { id, until: Number(until) } : null;
  } catch {
    return null;
  }
}

function write(area: Area, name: string, value: string | null): void {
  try {
    value === null ? area.removeItem(name) : area.setItem(name, value);
  } catch {
    // The storage is full or blocked: without a lease, the tolerance of the server must do.
  }
}

function sleep(env: Environment, ms: number): Promise<void> {
  return new Promise(done => env.after(ms, done));
}
