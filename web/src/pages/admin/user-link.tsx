// Owns the link with which a user sets a new password: mailed, or shown once to be handed on.

import { useEffect, useState } from 'react';
import { adminApi, api } from '../../api/endpoints';
import { asProblem } from '../../api/problem';
import type { ResetLink } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage } from '../../i18n';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { ProblemNotice, Said } from '../../ui/notice';
import { Secret } from '../../ui/secret';
import { Section } from '../../ui/section';
import type { UserProps } from './user';

// With these errors the server says that a link does not work any longer.
const VOID = ['InvalidResetToken', 'ExpiredAccessError', 'MissingUserError', 'InvalidUserError'];

export function NewPasswordLink({ user }: UserProps) {
  const { t } = useLanguage();
  const name = user.username;
  return (
    <Section title={t('user.linkTitle')}>
      {/* An inactive user cannot have one. */}
      {user.active
        ? <><p>{t('user.linkText', { name })}</p><LinkActions id={user.id} email={user.email} /></>
        : <p className="muted">{t('error.UserInactive')}</p>}
    </Section>
  );
}

interface Props {
  id: number;
  email: string | null;
  // The link that the server has made already.
  given?: ResetLink | null;
}

export function LinkActions({ id, email, given = null }: Props) {
  const { t } = useLanguage();
  const { mail } = useConfig();
  const making = useTask();
  const mailing = useTask();
  const [made, setMade] = useState(given);
  const [said, setSaid] = useState('');
  const problem = making.problem ?? mailing.problem;

  const make = () => making.run(async () => {
    setSaid('');
    mailing.fail(null);
    setMade(await adminApi.resetLink(id));
  });

  const send = () => mailing.run(async () => {
    setSaid('');
    making.fail(null);
    await adminApi.resetMail(id);
    // The new link makes earlier ones void.
    setMade(null);
    setSaid(t('user.linkMailed', { email: email ?? '' }));
  });

  function gone() {
    setMade(null);
    setSaid(t('user.linkGone'));
  }

  return (
    <>
      {made && <ShownLink link={made} onVoid={gone} />}
      <div className="buttons">
        {mail && email !== null && <Button task={mailing} onClick={() => void send()}>{t('user.linkMail')}</Button>}
        <Button task={making} onClick={() => void make()}>{t(made ? 'user.linkAnother' : 'user.linkMake')}</Button>
      </div>
      {problem && <ProblemNotice problem={problem} />}
      <Said>{!problem && said}</Said>
    </>
  );
}

// Goes when the link does not work any longer: at its end, and, when somebody looks at the page, if it was used.
function ShownLink({ link, onVoid }: { link: ResetLink; onVoid: () => void }) {
  const { t, when } = useLanguage();
  const { token, expires } = link;

  useEffect(() => {
    const timer = setInterval(() => void (Date.now() >= expires * 1000 && onVoid()), 1000);
    return () => clearInterval(timer);
  }, [expires]);

  useEffect(() => {
    let wanted = true;
    async function look() {
      if (document.visibilityState !== 'visible') return;
      const code = await api.checkReset(token).then(() => '', thrown => asProblem(thrown).code);
      if (wanted && VOID.includes(code)) onVoid();
    }
    const onVisible = () => void look();
    document.addEventListener('visibilitychange', onVisible);
    return () => {
      wanted = false;
      document.removeEventListener('visibilitychange', onVisible);
    };
  }, [token]);

  return (
    <>
      <Secret key={token} label={t('user.link')} value={link.link ?? linkOf(token)} />
      <p className="hint" role="status">{t('user.linkMade', { when: when(expires) })}</p>
    </>
  );
}

// The server knows its public URL only if it is configured; otherwise the origin of this page is used.
function linkOf(token: string): string {
  return `${location.origin}/reset-finalize?token=${encodeURIComponent(token)}`;
}
