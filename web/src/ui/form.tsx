// Owns forms: sends the input once, and shows a problem at the field that it is about, which gets the
// focus, or else above the button.

import { createContext, useContext, useEffect, useLayoutEffect, useReducer, useRef, type FormEvent, type ReactNode } from 'react';
import { Problem } from '../api/problem';
import { useLanguage } from '../i18n';
import { useExplain } from '../i18n/explain';
import { useTask } from '../task';
import { Button } from './button';
import { Notice } from './notice';

// The field that a problem is about, if the form has it. The message of a BadRequest begins with the
// name of the field.
const PLACES: Record<string, string> = {
  InvalidUsername: 'username',
  UsernameTaken: 'username',
  InvalidPassword: 'password',
  WrongPassword: 'password',
  WrongOtp: 'otp',
  OtpRequired: 'otp',
  InvalidInvitation: 'invitation',
};

const Complaint = createContext<{ field: string; words: string } | null>(null);

// The problem of the field with this name.
export function useComplaint(name: string): string | undefined {
  const complaint = useContext(Complaint);
  return complaint?.field === name ? complaint.words : undefined;
}

interface Props {
  submit: string;
  danger?: boolean;
  // Sends the input; an error that it throws is shown.
  send: (text: (name: string) => string) => Promise<void>;
  // Overrides the field or the words of a problem.
  places?: Record<string, string>;
  words?: Record<string, string>;
  onCancel?: (() => void) | undefined;
  children: ReactNode;
}

export function Form({ submit, danger = false, send, places = {}, words = {}, onCancel, children }: Props) {
  const { t } = useLanguage();
  const explain = useExplain();
  const task = useTask();
  const form = useRef<HTMLFormElement>(null);
  const { problem } = task;

  const field = problem ? place(problem, form.current, places) : undefined;
  const text = problem ? words[problem.code] ?? explain(problem) : '';
  // The wait is over.
  const again = problem !== null && problem.wait > 0 && task.wait === 0;

  // A field that the problem made appear exists only now.
  const [, renderAgain] = useReducer((times: number) => times + 1, 0);
  useLayoutEffect(() => {
    if (problem && place(problem, form.current, places) !== field) renderAgain();
  });

  useEffect(() => {
    if (problem && field) input(form.current, field)?.focus();
  }, [problem, field]);

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    const element = form.current;
    if (!element) return;
    const wrong = firstWrong(element);
    if (wrong) return task.fail(wrong);
    const typed = new FormData(element);
    void task.run(() => send(name => String(typed.get(name) ?? '')));
  }

  return (
    <form ref={form} className="form" noValidate onSubmit={onSubmit} aria-busy={task.busy}>
      <Complaint value={field ? { field, words: text } : null}>{children}</Complaint>
      {again && <Notice kind="plain">{t('form.again')}</Notice>}
      {/* A new key per attempt, so that the same problem is announced again. */}
      {problem && !field && !again && <Notice key={task.attempts} kind="bad">{text}</Notice>}
      <div className="buttons">
        <Button type="submit" look={danger ? 'danger' : 'main'} task={task}>{submit}</Button>
        {onCancel && <Button onClick={onCancel}>{t('form.cancel')}</Button>}
      </div>
    </form>
  );
}

function place(problem: Problem, form: HTMLFormElement | null, places: Record<string, string>): string | undefined {
  const named = /^(\w+): /.exec(problem.message)?.[1];
  const name = places[problem.code] ?? PLACES[problem.code] ?? named;
  return name && input(form, name) ? name : undefined;
}

function input(form: HTMLFormElement | null, name: string): HTMLInputElement | undefined {
  const found = form?.elements.namedItem(name);
  return found instanceof HTMLInputElement ? found : undefined;
}

// The checks of the browser, whose messages would not be in the language of the page.
function firstWrong(form: HTMLFormElement): Problem | undefined {
  for (const element of form.elements) {
    if (!(element instanceof HTMLInputElement)) continue;
    if (!element.validity.valid) return new Problem(element.value ? 'InvalidEmail' : 'Required', `${element.name}: `);
    const least = Number(element.dataset['least'] ?? 0);
    if (characters(element.value) < least) return new Problem('InvalidPassword', `The password is shorter than ${least} characters`);
  }
  return undefined;
}

// The length as the server counts it: code points after composition (NFC).
function characters(text: string): number {
  return [...text.normalize('NFC')].length;
}
