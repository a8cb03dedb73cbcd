// Owns what is said after an action where it was done: in the place of the row or the button that is gone.
// It takes the focus, so that the keyboard goes on from there and screen readers read it.

import { useLayoutEffect, useRef, type ReactNode } from 'react';

export function Outcome({ children }: { children: ReactNode }) {
  return <p className="notice good" tabIndex={-1} ref={useFocus<HTMLParagraphElement>()}>{children}</p>;
}

export function RowOutcome({ children }: { children: ReactNode }) {
  return <li className="row outcome" tabIndex={-1} ref={useFocus<HTMLLIElement>()}><span>{children}</span></li>;
}

function useFocus<T extends HTMLElement>() {
  const element = useRef<T>(null);
  useLayoutEffect(() => element.current?.focus({ preventScroll: true }), []);
  return element;
}
