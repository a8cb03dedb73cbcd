// Owns what all pages have: a heading that takes the focus when one moves here, and the title of
// the window.

import { useEffect, useRef, type ReactNode } from 'react';
import { useConfig } from '../config';

// On the first page the focus stays where the browser put it.
let first = true;

interface Props {
  title: string;
  // One column as wide as a form, in the middle.
  narrow?: boolean;
  // Another step of the same page: its heading takes the focus as well.
  step?: string;
  children: ReactNode;
}

export function Page({ title, narrow = false, step, children }: Props) {
  const { issuer } = useConfig();
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${title} · ${issuer}`;
  }, [title, issuer]);

  useEffect(() => {
    const page = heading.current?.parentElement;
    // A field that asked for the focus keeps it.
    if (!first && !page?.contains(document.activeElement)) heading.current?.focus({ preventScroll: true });
    first = false;
  }, [step]);

  return (
    <div className={narrow ? 'page narrow' : 'page'}>
      <h1 ref={heading} tabIndex={-1}>{title}</h1>
      {children}
    </div>
  );
}
