// Owns loading the data of a page: in progress, loaded, or refused. A lost connection is not a
// refusal: the load is repeated as soon as the server can be reached.

import { useCallback, useEffect, useState } from 'react';
import { asProblem, type Problem } from './api/problem';
import { reachable } from './session';

// The pause before another attempt, which doubles with each.
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;

export interface Loaded<T> {
  data: T | undefined;
  problem: Problem | undefined;
  // Loads again; the present data stays on the page meanwhile.
  reload: () => void;
  set: (data: T) => void;
}

// `key` names the data: a new key clears the page and loads. A new `version` of the same data loads
// too, but the present data stays on the page meanwhile. `kept` is data that was loaded before.
export function useLoad<T>(load: () => Promise<T>, key: string, version = '', kept?: T): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; problem?: Problem }>(kept === undefined ? { key } : { key, data: kept });
  const [round, setRound] = useState(0);

  useEffect(() => {
    let wanted = true;
    void loaded(load, () => wanted).then(
      data => wanted && setState({ key, data: data as T }),
      thrown => wanted && setState({ key, problem: asProblem(thrown) }),
    );
    return () => void (wanted = false);
    // `load` is a new function at each render; `key` names the data that it loads.
  }, [key, version, round]);

  const reload = useCallback(() => setRound(before => before + 1), []);
  const set = useCallback((data: T) => setState({ key, data }), [key]);
  const current = state.key === key ? state : undefined;
  return { data: current?.data, problem: current?.problem, reload, set };
}

// Asks until the server has answered or the data is not wanted any more.
export async function loaded<T>(load: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
  for (let pause = FIRST_PAUSE_MS; wanted(); pause = Math.min(2 * pause, LAST_PAUSE_MS)) {
    try {
      return await load();
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (problem.code !== 'Offline') throw problem;
      // The pause is for the case that only this answer gets lost, or a proxy refuses only this request.
      await Promise.all([reachable(), new Promise(done => setTimeout(done, pause))]);
    }
  }
  return undefined;
}
