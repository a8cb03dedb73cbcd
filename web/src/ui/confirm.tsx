// Owns the question before something that cannot be undone: the browser's own dialog, which keeps
// the focus inside and ends with Escape.

import { useEffect, useId, useRef, type ReactNode } from 'react';
import { Form } from './form';

interface Props {
  title: string;
  text: string;
  submit: string;
  danger?: boolean;
  send: (text: (name: string) => string) => Promise<void>;
  words?: Record<string, string>;
  onClose: () => void;
  // Fields, if it asks for something.
  children?: ReactNode;
}

// Shown as long as it is rendered. When it closes, the focus goes back to what opened it.
export function Confirm({ title, text, submit, danger = true, send, words = {}, onClose, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const id = useId();

  useEffect(() => {
    const opener = document.activeElement;
    dialog.current?.showModal();
    // The first field, else the way back: Enter alone should not do it.
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
