// Owns forms: sends the input once, and shows each problem at the field that it is about, until the field
// is corrected; the first one gets the focus. Other problems are shown above the button.

import {
  createContext, useContext, useEffect, useLayoutEffect, useReducer, useRef, useState, type FormEvent, type ReactNode,
} from 'react';
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

// The problems that were found before anything was sent, by the names of their fields.
type Faults = Record<string, Problem>;
const NONE: Faults = {};

const Complaints = createContext<Record<string, string>>({});

// The problem of the field with this name.
export function useComplaint(name: string): string | undefined {
  return useContext(Complaints)[name];
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
  cancel?: string;
  children: ReactNode;
}

export function Form({ submit, danger = false, send, places = {}, words = {}, onCancel, cancel, children }: Props) {
  const { t } = useLanguage();
  const explain = useExplain();
  const task = useTask();
  const form = useRef<HTMLFormElement>(null);
  const [faults, setFaults] = useState(NONE);
  // A problem of the server whose field was changed since.
  const [corrected, setCorrected] = useState<Problem | null>(null);
  const problem = task.problem === corrected ? null : task.problem;

  const field = problem ? place(problem, form.current, places) : undefined;
  const explained = (each: Problem) => words[each.code] ?? explain(each);
  // The wait is over.
  const again = problem !== null && problem.wait > 0 && task.wait === 0;
  const complaints = Object.fromEntries(Object.entries(faults).map(([name, fault]) => [name, explained(fault)]));
  if (problem && field) complaints[field] = explained(problem);

  // A field that the problem made appear exists only now.
  const [, renderAgain] = useReducer((times: number) => times + 1, 0);
  useLayoutEffect(() => {
    if (problem && place(problem, form.current, places) !== field) renderAgain();
  });

  useEffect(() => {
    if (problem && field) input(form.current, field)?.focus();
  }, [problem, field]);

  // The complaint is there before the focus, so that a screen reader says both.
  const first = useRef<string>(undefined);
  useEffect(() => {
    if (first.current) input(form.current, first.current)?.focus();
    first.current = undefined;
  });

  function onSubmit(event: FormEvent) {
    event.preventDefault();
    const element = form.current;
    if (!element) return;
    const found = faultsOf(element);
    setFaults(found);
    first.current = Object.keys(found)[0];
    if (first.current) return task.fail(null);
    const typed = new FormData(element);
    void task.run(() => send(name => String(typed.get(name) ?? '')));
  }

  function onInput({ target }: FormEvent) {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.name === field) setCorrected(problem);
    const before = faults[target.name];
    if (!before || faultOf(target)?.code === before.code) return;
    setFaults(Object.fromEntries(Object.entries(faults).filter(([name]) => name !== target.name)));
  }

  return (
    <form ref={form} className="form" noValidate onSubmit={onSubmit} onInput={onInput} aria-busy={task.busy}>
      <Complaints value={complaints}>{children}</Complaints>
      {again && <Notice kind="plain">{t('form.again')}</Notice>}
      {/* A new key per attempt, so that the same problem is announced again. */}
      {problem && !field && !again && <Notice key={task.attempts} kind="bad">{explained(problem)}</Notice>}
      <div className="buttons">
        <Button type="submit" look={danger ? 'danger' : 'main'} task={task}>{submit}</Button>
        {onCancel && <Button onClick={onCancel}>{cancel ?? t('form.cancel')}</Button>}
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

// The faults of all fields, in their order.
function faultsOf(form: HTMLFormElement): Faults {
  const found: Faults = {};
  for (const element of form.elements) {
    const fault = element instanceof HTMLInputElement && faultOf(element);
    if (fault) found[element.name] = fault;
  }
  return found;
}

// The checks of the browser, whose messages would not be in the language of the page.
function faultOf(field: HTMLInputElement): Problem | undefined {
  if (!field.validity.valid) return new Problem(field.value ? 'InvalidEmail' : 'Required', `${field.name}: `);
  const least = Number(field.dataset['least'] ?? 0);
  if (characters(field.value) >= least) return undefined;
  return new Problem('InvalidPassword', `The password is shorter than ${least} characters`);
}

// The length as the server counts it: code points after composition (NFC).
function characters(text: string): number {
  return [...text.normalize('NFC')].length;
}
