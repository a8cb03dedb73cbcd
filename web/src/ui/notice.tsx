// Owns messages: what went wrong, what was done. A screen reader says them when they appear.

import type { ReactNode } from 'react';
import type { Problem } from '../api/problem';
import { useExplain } from '../i18n/explain';

export function Notice({ kind, children }: { kind: 'bad' | 'good' | 'plain'; children: ReactNode }) {
  return <p className={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>{children}</p>;
}

export function ProblemNotice({ problem }: { problem: Problem }) {
  return <Notice kind="bad">{useExplain()(problem)}</Notice>;
}

// A place for what was done. It is there from the beginning, so that a screen reader listens to
// it before something is said.
export function Said({ children }: { children: ReactNode }) {
  return <div role="status">{children && <p className="notice good">{children}</p>}</div>;
}
