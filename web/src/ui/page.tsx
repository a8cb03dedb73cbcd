// Owns the common parts of a page: the title of the window, and the heading, which gets the focus after
// navigation if the page has no field with autofocus.

import { useEffect, useLayoutEffect, useRef, type ReactNode } from 'react';
import { useConfig } from '../config';

// On the first page the browser places the focus.
let first = true;

interface Props {
  title: string;
  // One centred column with the width of a form.
  narrow?: boolean;
  // Each new step of a page focuses its heading too.
  step?: string;
  children: ReactNode;
}

export function Page({ title, narrow = false, step, children }: Props) {
  const { issuer } = useConfig();
  const heading = useRef<HTMLHeadingElement>(null);

  useEffect(() => {
    document.title = `${title} · ${issuer}`;
  }, [title, issuer]);

  useLayoutEffect(() => {
    const page = heading.current?.parentElement;
    // A field with autofocus keeps the focus.
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
