// Owns the words about how hard the typed password is to guess, below the field of a new password. They
// come when the typing pauses, and screen readers say them when they have time.

import { useEffect, useRef, useState } from 'react';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { strengthOf, type Known, type Strength } from '../strength';
import { useComplaint } from './form';

const PAUSE_MS = 500;

// `of` is the name of the password's field, `least` its minimum length.
export function StrengthHint({ of, least }: { of: string; least: number }) {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const complaint = useComplaint(of);
  const place = useRef<HTMLParagraphElement>(null);
  const [strength, setStrength] = useState<Strength | null>(null);

  useEffect(() => {
    const form = place.current?.closest('form');
    if (!form) return;
    let timer = 0;
    const text = (name: string) => {
      const field = form.elements.namedItem(name);
      return field instanceof HTMLInputElement ? field.value : '';
    };
    const measure = () => setStrength(text(of) ? strengthOf(text(of), least, known(text('username'), text('email'), issuer)) : null);
    const typed = () => {
      clearTimeout(timer);
      timer = window.setTimeout(measure, PAUSE_MS);
    };
    form.addEventListener('input', typed);
    return () => {
      clearTimeout(timer);
      form.removeEventListener('input', typed);
    };
  }, [of, least, issuer]);

  return <p ref={place} className={`hint strength ${strength?.level ?? ''}`} role="status">{strength && !complaint && t(strength.key)}</p>;
}

function known(username: string, email: string, issuer: string): Known[] {
  return [
    { word: username, reason: 'reason.passwordName' },
    { word: email, reason: 'reason.passwordEmail' },
    { word: email.split('@')[0] ?? '', reason: 'reason.passwordEmail' },
    { word: 'lictor', reason: 'reason.passwordProgram' },
    { word: issuer, reason: 'reason.passwordService' },
  ];
}
