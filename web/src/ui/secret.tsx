// Owns a secret with a button that copies it: a link, a code, a key.

import { useId, useRef, useState } from 'react';
import { useLanguage } from '../i18n';
import { Button } from './button';

interface Props {
  label: string;
  value: string;
  // Shows groups of four characters, in as many lines as they need. What is copied has no spaces.
  grouped?: boolean;
}

export function Secret({ label, value, grouped = false }: Props) {
  const { t } = useLanguage();
  const id = useId();
  const field = useRef<HTMLInputElement & HTMLTextAreaElement>(null);
  const [copied, setCopied] = useState(false);

  async function copy() {
    field.current?.select();
    setCopied(await copyText(value));
  }

  const Box = grouped ? 'textarea' : 'input';
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="control joined">
        <Box
          ref={field}
          id={id}
          className="code"
          readOnly
          value={grouped ? inGroups(value) : value}
          rows={grouped ? 2 : undefined}
          onFocus={event => event.currentTarget.select()}
        />
        <Button onClick={() => void copy()}>{t('copy.do')}</Button>
      </div>
      <p className="hint" role="status">{copied && t('copy.done')}</p>
    </div>
  );
}

function inGroups(text: string): string {
  return text.replace(/(.{4})(?=.)/g, '$1 ');
}

// Browsers have navigator.clipboard only in secure contexts; elsewhere the old command copies the text:
// in a field of its own, since the one on the page may show spaces.
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyOldWay(text);
  }
}

function copyOldWay(text: string): boolean {
  const fill = (event: ClipboardEvent) => {
    event.clipboardData?.setData('text/plain', text);
    event.preventDefault();
  };
  document.addEventListener('copy', fill);
  const done = document.execCommand('copy');
  document.removeEventListener('copy', fill);
  return done;
}
