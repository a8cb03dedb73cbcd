// Owns a task that a button starts: whether it is running, its problem, and the wait before the next
// attempt. Knows nothing of forms.

import { useCallback, useEffect, useRef, useState } from 'react';
import { asProblem, type Problem } from './api/problem';

export interface Task {
  busy: boolean;
  problem: Problem | null;
  // Seconds to wait, counting down.
  wait: number;
  attempts: number;
  // Runs `work`, unless the task is running or has to wait. A failure becomes `problem`.
  run: (work: () => Promise<void>) => Promise<void>;
  fail: (problem: Problem | null) => void;
}

export function useTask(): Task {
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [wait, startWaiting] = useCountdown();
  const [attempts, setAttempts] = useState(0);
  const underWay = useRef(false);

  const fail = useCallback((found: Problem | null) => {
    setProblem(found);
    startWaiting(found?.wait ?? 0);
  }, [startWaiting]);

  const run = async (work: () => Promise<void>) => {
    // `busy` is from the last render; a second press can come before the next render.
    if (underWay.current || wait > 0) return;
    underWay.current = true;
    setBusy(true);
    setAttempts(before => before + 1);
    try {
      await work();
      fail(null);
    } catch (thrown) {
      fail(asProblem(thrown));
    } finally {
      underWay.current = false;
      setBusy(false);
    }
  };
  return { busy, problem, wait, attempts, run, fail };
}

// Counts whole seconds down to 0 by the clock, because timers of a background tab are late.
function useCountdown(): [number, (seconds: number) => void] {
  const [until, setUntil] = useState(0);
  const [left, setLeft] = useState(0);

  const start = useCallback((seconds: number) => {
    setLeft(seconds);
    setUntil(seconds > 0 ? Date.now() + seconds * 1000 : 0);
  }, []);

  useEffect(() => {
    if (!until) return;
    const timer = setInterval(() => {
      const remaining = Math.max(0, Math.ceil((until - Date.now()) / 1000));
      setLeft(remaining);
      if (remaining === 0) clearInterval(timer);
    }, 250);
    return () => clearInterval(timer);
  }, [until]);
  return [left, start];
}
