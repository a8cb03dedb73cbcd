// Owns that of all tabs one at a time does something. Knows nothing of what it is.
//
// Web Locks do it where the browser has them. On plain http in a LAN it has none: there a lease
// in localStorage does, a line that says who has the turn and until when. Two tabs that take it
// in the same instant may both go ahead; the server allows for that (the same token exchanged
// twice within 30 s gives the same new one), so a lease only has to be right nearly always.
// For the same reason nobody waits for ever: a tab that hangs loses its turn.

import type { Area, Environment } from './environment.js';

/** Longer than a turn takes (a request's time limit), and well below the server's 30 s. */
export const LEASE_MS = 12_000;
/** After so long one goes ahead without the turn. */
export const PATIENCE_MS = 15_000;
/** What one tab writes to storage reaches the others within this, nearly always. */
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
        // The lock can reach the next tab before what was written here does, and that tab would do
        // it all again. Whoever asked here does not wait for this.
        await sleep(env, SETTLE_MS);
      };
      // Waited too long, or this page is of a kind that may not have locks.
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
      // Where nothing can be written there is nothing to wait for.
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

// A lease that ends later than any could was written before the clock was set back.
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
    // Full or blocked: then there is no lease, and the server's allowance has to do.
  }
}

function sleep(env: Environment, ms: number): Promise<void> {
  return new Promise(done => env.after(ms, done));
}
