// Owns a secret with a button that copies it: a link, a code, a key.

import { useId, useRef, useState } from 'react';
import { useLanguage } from '../i18n';
import { Button } from './button';

export function Secret({ label, value }: { label: string; value: string }) {
  const { t } = useLanguage();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [copied, setCopied] = useState(false);

  async function copy() {
    input.current?.select();
    setCopied(await copyText(value));
  }

  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <div className="control joined">
        <input ref={input} id={id} className="code" readOnly value={value} onFocus={event => event.target.select()} />
        <Button onClick={() => void copy()}>{t('copy.do')}</Button>
      </div>
      <p className="hint" role="status">{copied && t('copy.done')}</p>
    </div>
  );
}

// Browsers have navigator.clipboard only in secure contexts; elsewhere the old command copies the
// selected text.
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return document.execCommand('copy');
  }
}
