// Owns form fields: label, input, hint and problem, connected for screen readers. React does not control
// the inputs, so that password managers can fill them in.

import { useId, useLayoutEffect, useRef, useState, type InputHTMLAttributes, type ReactNode } from 'react';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useComplaint } from './form';
import { Eye } from './icons';
import { StrengthHint } from './strength-hint';

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  name: string;
  label: string;
  hint?: ReactNode;
  // Shown in the right corner of the field.
  corner?: ReactNode;
  // Shown below the hint.
  below?: ReactNode;
}

export function Field({ label, hint, corner, below, required = true, autoFocus = false, spellCheck, ...input }: FieldProps) {
  const id = useId();
  const element = useRef<HTMLInputElement>(null);
  // The attribute works only while the document is loading.
  useLayoutEffect(() => {
    if (autoFocus) element.current?.focus();
  }, [autoFocus]);
  const complaint = useComplaint(input.name);
  // The hint was said before the complaint.
  const described = complaint ? `${id}-wrong` : hint ? `${id}-hint` : undefined;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="control">
        <input
          ref={element}
          id={id}
          required={required}
          // Preact would leave out an attribute with the value false.
          spellCheck={spellCheck === false ? 'false' : spellCheck}
          aria-invalid={complaint ? true : undefined}
          aria-describedby={described}
          {...input}
        />
        {corner}
      </div>
      {complaint && <p id={`${id}-wrong`} className="wrong">{complaint}</p>}
      {hint && <p id={`${id}-hint`} className="hint">{hint}</p>}
      {below}
    </div>
  );
}

export function UsernameField(props: Partial<FieldProps>) {
  const { t } = useLanguage();
  return (
    <Field
      name="username"
      label={t('field.username')}
      autoComplete="username"
      autoCapitalize="none"
      spellCheck={false}
      {...props}
    />
  );
}

export function EmailField(props: Partial<FieldProps>) {
  const { t } = useLanguage();
  return <Field name="email" type="email" label={t('field.email')} autoComplete="email" {...props} />;
}

// `fresh` is for choosing a password: password managers then offer a new one.
export function PasswordField({ fresh = false, ...props }: Partial<FieldProps> & { fresh?: boolean }) {
  const { t } = useLanguage();
  const { min_password_length: least = 8 } = useConfig();
  const [shown, setShown] = useState(false);
  const toggle = (
    <button type="button" className="show" aria-pressed={shown} aria-label={t('field.show')} onClick={() => setShown(!shown)}>
      <Eye crossed={shown} />
    </button>
  );
  return (
    <Field
      name="password"
      label={t(fresh ? 'field.newPassword' : 'field.password')}
      hint={fresh ? t('field.passwordHint', { n: least }) : undefined}
      data-least={fresh ? least : undefined}
      autoComplete={fresh ? 'new-password' : 'current-password'}
      autoCapitalize="none"
      spellCheck={false}
      type={shown ? 'text' : 'password'}
      corner={toggle}
      below={fresh && <StrengthHint of={props.name ?? 'password'} least={least} />}
      {...props}
    />
  );
}

// A box to tick; its text is 'on' if it is ticked.
export function Tick({ name, label, hint, ticked = false }: { name: string; label: string; hint?: string; ticked?: boolean }) {
  const id = useId();
  return (
    <div className="field tick">
      <input id={id} type="checkbox" name={name} defaultChecked={ticked} aria-describedby={hint && `${id}-hint`} />
      <label htmlFor={id}>{label}</label>
      {hint && <p id={`${id}-hint`} className="hint">{hint}</p>}
    </div>
  );
}

// A code of the second factor. `digits` shows a numeric keypad; a recovery code has letters.
export function CodeField({ digits = false, ...props }: Partial<FieldProps> & { digits?: boolean }) {
  const { t } = useLanguage();
  return (
    <Field
      name="otp"
      label={t('code.label')}
      className="code"
      autoComplete="one-time-code"
      inputMode={digits ? 'numeric' : 'text'}
      autoCapitalize="none"
      spellCheck={false}
      {...props}
    />
  );
}
