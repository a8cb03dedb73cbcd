// Owns the end of a wait when the app aborts its request. What is waited for goes on: a refresh serves all
// requests of all tabs.

/** What is used of an AbortSignal, and of what axios takes for one. */
export interface Signal {
  readonly aborted?: boolean;
  readonly reason?: unknown;
  addEventListener?: (type: 'abort', listener: () => void) => void;
  removeEventListener?: (type: 'abort', listener: () => void) => void;
}

/** The outcome of `work`, or a rejection with the signal's reason once that is aborted. */
export function unlessAborted<T>(signal: Signal | null | undefined, work: Promise<T>): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(signal.reason ?? new DOMException('The request was aborted', 'AbortError'));
    if (signal.aborted) giveUp();
    signal.addEventListener?.('abort', giveUp);
    void work.then(resolve, reject).finally(() => signal.removeEventListener?.('abort', giveUp));
  });
}
