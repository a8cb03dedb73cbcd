// Owns loading the data of a page: in progress, loaded, or refused. A lost connection is not a
// refusal: the load is repeated as soon as the server can be reached. If the server is busy or broken
// when data is loaded again, the data stays beside the problem: the page may show a secret that the
// server sends only once.

import { useCallback, useEffect, useState } from 'react';
import { asProblem, isPassing, type Problem } from './api/problem';
import { reachable } from './session';

// The pause before another attempt, which doubles with each.
const FIRST_PAUSE_MS = 500;
const LAST_PAUSE_MS = 30_000;

export interface Loaded<T> {
  data: T | undefined;
  // Of the last load. With data beside it, the data is from an earlier one.
  problem: Problem | undefined;
  // Loads again; the present data stays on the page meanwhile.
  reload: () => void;
  set: (data: T) => void;
}

interface State<T> {
  key: string;
  data?: T;
  problem?: Problem;
  // That of the load that failed.
  version?: string;
}

// `key` names the data: a new key clears the page and loads. A new `version` of the same data loads
// too, but the present data stays on the page meanwhile. `kept` is data that was loaded before.
export function useLoad<T>(load: () => Promise<T>, key: string, version = '', kept?: T): Loaded<T> {
  const [state, setState] = useState<State<T>>(kept === undefined ? { key } : { key, data: kept });
  const [round, setRound] = useState(0);

  useEffect(() => {
    let wanted = true;
    void loaded(load, () => wanted).then(
      data => wanted && setState({ key, data: data as T }),
      thrown => wanted && setState(before => refused(before, key, version, asProblem(thrown))),
    );
    return () => void (wanted = false);
    // `load` is a new function at each render; `key` names the data that it loads.
  }, [key, version, round]);

  const reload = useCallback(() => setRound(before => before + 1), []);
  const set = useCallback((data: T) => setState({ key, data }), [key]);
  const current = state.key === key ? state : undefined;
  const problem = current?.version === version ? current.problem : undefined;
  return { data: current?.data, problem, reload, set };
}

function refused<T>(before: State<T>, key: string, version: string, problem: Problem): State<T> {
  const kept = before.key === key && isPassing(problem) ? before : { key };
  return { ...kept, version, problem };
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
