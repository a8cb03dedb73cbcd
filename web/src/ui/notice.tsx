// Owns messages about problems and successes. Screen readers announce them when they appear.

import type { ReactNode } from 'react';
import type { Problem } from '../api/problem';
import { useExplain } from '../i18n/explain';

export function Notice({ kind, children }: { kind: 'bad' | 'good' | 'plain'; children: ReactNode }) {
  return <p className={`notice ${kind}`} role={kind === 'bad' ? 'alert' : 'status'}>{children}</p>;
}

export function ProblemNotice({ problem }: { problem: Problem }) {
  return <Notice kind="bad">{useExplain()(problem)}</Notice>;
}

// The region for messages about successes. It is rendered before the first message, because screen
// readers announce only changes of a region that they know.
export function Said({ children }: { children: ReactNode }) {
  return <div role="status">{children && <p className="notice good">{children}</p>}</div>;
}
