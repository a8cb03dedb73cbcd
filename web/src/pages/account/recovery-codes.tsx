// Owns showing recovery codes, which the server sends only once.

import { useEffect, useRef, useState } from 'react';
import { useConfig } from '../../config';
import { download } from '../../download';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { copyText } from '../../ui/secret';

interface Props {
  codes: string[];
  name: string;
  onKept: () => void;
  // One level below the heading above it.
  heading?: 'h2' | 'h3';
}

export function RecoveryCodes({ codes, name, onKept, heading: Heading = 'h3' }: Props) {
  const { t } = useLanguage();
  const { issuer } = useConfig();
  const heading = useRef<HTMLHeadingElement>(null);
  const list = useRef<HTMLOListElement>(null);
  const [copied, setCopied] = useState(false);
  const text = `${codes.join('\n')}\n`;

  useEffect(() => heading.current?.focus(), []);

  async function copy() {
    if (list.current) getSelection()?.selectAllChildren(list.current);
    setCopied(await copyText(text));
  }

  return (
    <div className="panel">
      <Heading ref={heading} tabIndex={-1}>{t('recovery.title')}</Heading>
      <p>{t('recovery.text')}</p>
      <ol ref={list} className="codes">{codes.map(code => <li key={code}>{code}</li>)}</ol>
      <div className="buttons">
        <Button onClick={() => void copy()}>{t('recovery.copy')}</Button>
        <Button onClick={() => download(`${issuer}-${name}.txt`, 'text/plain', text)}>{t('recovery.save')}</Button>
        <Button look="main" onClick={onKept}>{t('recovery.kept')}</Button>
      </div>
      <p className="hint" role="status">{copied && t('copy.done')}</p>
    </div>
  );
}
