// Owns the question before an action that cannot be undone: the dialog element of the browser, which
// keeps the focus inside and closes with Escape.

import { useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react';
import { Form } from './form';

interface Props {
  title: string;
  text: string;
  submit: string;
  danger?: boolean;
  send: (text: (name: string) => string) => Promise<void>;
  words?: Record<string, string>;
  onClose: () => void;
  // Form fields, if it needs input.
  children?: ReactNode;
}

// It is open while it is rendered. Closing it returns the focus to the element that opened it.
export function Confirm({ title, text, submit, danger = true, send, words = {}, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();
  const [opener] = useState(document.activeElement);

  useLayoutEffect(() => {
    dialog.current?.showModal();
    // The focus goes to the first field or to the cancel button, so that Enter alone does not confirm.
    dialog.current?.querySelector<HTMLElement>('input:not([readonly]), button[type=button]')?.focus();
    return () => void (opener instanceof HTMLElement && opener.focus());
  }, []);

  return (
    <dialog ref={dialog} aria-labelledby={id} aria-describedby={`${id}-text`} onClose={onClose}>
      <h2 id={id}>{title}</h2>
      <p id={`${id}-text`}>{text}</p>
      <Form submit={submit} danger={danger} send={send} words={words} onCancel={() => dialog.current?.close()}>
        {children}
      </Form>
    </dialog>
  );
}
