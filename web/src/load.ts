// Owns what a page reads from the server when it opens: loading, there, or refused. A lost
// connection is no refusal: it is read again as soon as the server can be reached.

import { useCallback, useEffect, useState } from 'react';
import { asProblem, type Problem } from './api/problem';
import { reachable } from './session';

export interface Loaded<T> {
  data: T | undefined;
  problem: Problem | undefined;
  // Reads it again; what there is stays on the page meanwhile.
  reload: () => void;
  set: (data: T) => void;
}

// `key` says what is read: another key reads anew. With another `version` of the same it is read
// again, and what there is stays on the page meanwhile.
export function useLoad<T>(load: () => Promise<T>, key: string, version = ''): Loaded<T> {
  const [state, setState] = useState<{ key: string; data?: T; problem?: Problem }>({ key });
  const [round, setRound] = useState(0);

  useEffect(() => {
    let wanted = true;
    void loaded(load, () => wanted).then(
      data => wanted && setState({ key, data: data as T }),
      thrown => wanted && setState({ key, problem: asProblem(thrown) }),
    );
    return () => void (wanted = false);
    // `load` is made anew at each render; what it reads is named by `key`.
  }, [key, version, round]);

  const reload = useCallback(() => setRound(before => before + 1), []);
  const set = useCallback((data: T) => setState({ key, data }), [key]);
  const current = state.key === key ? state : undefined;
  return { data: current?.data, problem: current?.problem, reload, set };
}

async function loaded<T>(load: () => Promise<T>, wanted: () => boolean): Promise<T | undefined> {
  while (wanted()) {
    try {
      return await load();
    } catch (thrown) {
      const problem = asProblem(thrown);
      if (problem.code !== 'Offline') throw problem;
      // A pause as well, should it be only this answer that gets lost.
      await Promise.all([reachable(), new Promise(done => setTimeout(done, 500))]);
    }
  }
  return undefined;
}
