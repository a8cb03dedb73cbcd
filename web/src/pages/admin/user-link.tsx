// Owns the link with which a user sets a new password.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { ResetLink, User } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { ProblemNotice } from '../../ui/notice';
import { Secret } from '../../ui/secret';
import { Section } from '../../ui/section';

export function NewPasswordLink({ user }: { user: User }) {
  const { t, when } = useLanguage();
  const task = useTask();
  const [made, setMade] = useState<ResetLink | null>(null);

  const make = () => task.run(async () => setMade(await adminApi.resetLink(user.id)));

  return (
    <Section title={t('user.linkTitle')}>
      <p>{t('user.linkText', { name: user.username })}</p>
      {made ? (
        <>
          <Secret label={t('user.link')} value={made.link ?? linkOf(made.token)} />
          <p className="hint">{t('user.linkMade', { when: when(made.expires) })}</p>
        </>
      ) : (
        <Button task={task} onClick={() => void make()}>{t('user.linkMake')}</Button>
      )}
      {task.problem && <ProblemNotice problem={task.problem} />}
    </Section>
  );
}

// The server knows its public URL only if it is configured; otherwise the origin of this page is used.
function linkOf(token: string): string {
  return `${location.origin}/reset-finalize?token=${encodeURIComponent(token)}`;
}
