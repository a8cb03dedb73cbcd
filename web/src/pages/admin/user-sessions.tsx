// Owns the sessions of a user, and ending them.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { User } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Loading } from '../../ui/loading';
import { ProblemNotice, Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { SessionFacts } from '../../ui/session-facts';

export function UserSessions({ user }: { user: User }) {
  const { t } = useLanguage();
  const task = useTask();
  const [said, setSaid] = useState('');
  const sessions = useLoad(() => adminApi.sessions(user.id), `${user.id}`);
  const shown = sessions.data?.sessions;

  const end = () => task.run(async () => {
    await adminApi.endSessions(user.id);
    setSaid(t('user.sessionsEnded', { name: user.username }));
    sessions.set({ sessions: [] });
  });

  return (
    <Section title={t('user.sessionsTitle')}>
      {!shown && <Loading of={sessions} />}
      {shown?.length === 0 && <p className="muted">{t('user.sessionsNone')}</p>}
      {shown && shown.length > 0 && (
        <>
          <ul className="rows">
            {shown.map(each => <li key={each.id} className="row"><SessionFacts session={each} /></li>)}
          </ul>
          <Button task={task} onClick={() => void end()}>{t('user.sessionsEnd')}</Button>
        </>
      )}
      {task.problem && <ProblemNotice problem={task.problem} />}
      <Said>{said}</Said>
    </Section>
  );
}
