// Owns buttons. A button that is not available keeps the focus and says so to screen readers.

import type { ButtonHTMLAttributes } from 'react';
import { useLanguage } from '../i18n';
import type { Task } from '../task';

interface Props extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'main' | 'plain' | 'danger' | 'link';
  // The task that it starts. It is not available while the task runs or has to wait.
  task?: Task;
}

export function Button({ look = 'plain', task, children, onClick, type = 'button', ...rest }: Props) {
  const { t, count } = useLanguage();
  const idle = !task?.busy && !task?.wait;
  const label = task?.busy ? t('form.busy') : task?.wait ? count('form.wait', task.wait) : children;
  return (
    <button
      {...rest}
      type={type}
      className={`button ${look} ${rest.className ?? ''}`}
      aria-disabled={!idle || undefined}
      onClick={idle ? onClick : event => event.preventDefault()}
    >
      {label}
    </button>
  );
}
