// Owns buttons. A button that is not available keeps the focus and says so to screen readers.

import { useRef, type ButtonHTMLAttributes, type MouseEvent } from 'react';
import { useLanguage } from '../i18n';
import type { Task } from '../task';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'main' | 'plain' | 'danger' | 'link';
  // The task that it starts. It is not available while the task runs or has to wait.
  task?: Task;
}

export function Button({ look = 'plain', task, children, onClick, type = 'button', 'aria-label': name, ...rest }: Props) {
  const { t, wait } = useLanguage();
  const idle = !task?.busy && !task?.wait;
  // A shorter label does not make the pressed button narrower: the second click of two still meets it.
  const width = useRef(0);
  const label = task?.busy ? t('form.busy') : task?.wait ? wait(task.wait) : children;

  function press(event: MouseEvent<HTMLButtonElement>) {
    if (!idle) return event.preventDefault();
    width.current = event.currentTarget.offsetWidth;
    onClick?.(event);
  }

  return (
    <button
      {...rest}
      type={type}
      className={`button ${look} ${rest.className ?? ''}`}
      // Otherwise the name is what the button shows.
      aria-label={idle ? name : undefined}
      aria-disabled={!idle || undefined}
      style={task?.busy ? { minWidth: `min(100%, ${width.current}px)` } : undefined}
      onClick={press}
    >
      {label}
    </button>
  );
}
