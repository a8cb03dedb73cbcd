// Owns the notice that there is no administrator yet, with the commands that make one.

import { Fragment } from 'react';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useMe } from '../me';

// Whether the server has no administrator. Somebody who has just got the role knows better.
export function useNoAdmin(): boolean {
  const { setup } = useConfig();
  const { data: me } = useMe();
  return Boolean(setup) && !me?.roles.includes('admin');
}

export function NoAdmin() {
  const { t } = useLanguage();
  if (!useNoAdmin()) return null;
  return (
    <div className="notice plain no-admin">
      <p>{t('setup.none')}</p>
      <Commands />
    </div>
  );
}

export function Commands() {
  const { t } = useLanguage();
  const { data: me } = useMe();
  return (
    <>
      <p>{t('setup.orNew')}</p>
      <Command>lictor user add NAME --role admin</Command>
      <p>{t('setup.orOld')}</p>
      <Command>{`lictor user roles ${me ? inShell(me.username) : 'NAME'} --add admin`}</Command>
    </>
  );
}

export function Command({ children }: { children: string }) {
  return (
    <p>
      <code className="command">
        {children.split(' ').map((word, at) => <Fragment key={at}>{at > 0 && ' '}<span>{word}</span></Fragment>)}
      </code>
    </p>
  );
}

// As a shell takes it.
function inShell(word: string): string {
  return /^[\w.@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
