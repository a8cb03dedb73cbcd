// Owns the sessions of a user, and ending one or all of them.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { Session } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Loading } from '../../ui/loading';
import { LongList } from '../../ui/long-list';
import { ProblemNotice } from '../../ui/notice';
import { Outcome, RowOutcome } from '../../ui/outcome';
import { Section } from '../../ui/section';
import { currentFirst, deviceOf, SessionFacts } from '../../ui/session-facts';
import type { UserProps } from './user';

export function UserSessions({ user }: UserProps) {
  const { t } = useLanguage();
  const task = useTask();
  const [done, setDone] = useState(false);
  const sessions = useLoad(() => adminApi.sessions(user.id), `${user.id}`);
  const shown = sessions.data?.sessions;

  const end = () => task.run(async () => {
    await adminApi.endSessions(user.id);
    setDone(true);
    sessions.set({ sessions: [] });
  });

  return (
    <Section title={t('user.sessionsTitle')}>
      <Loading of={sessions} />
      {done && <Outcome>{t('user.sessionsEnded', { name: user.username })}</Outcome>}
      {shown?.length === 0 && <p className="muted">{t('user.sessionsNone')}</p>}
      {shown && shown.length > 0 && (
        <>
          <LongList items={currentFirst(shown)}>{each => <Row key={each.id} user={user.id} session={each} />}</LongList>
          <Button task={task} onClick={() => void end()}>{t('user.sessionsEnd')}</Button>
        </>
      )}
      {task.problem && <ProblemNotice problem={task.problem} />}
    </Section>
  );
}

function Row({ user, session }: { user: number; session: Session }) {
  const { t } = useLanguage();
  const task = useTask();
  const [ended, setEnded] = useState(false);
  const device = deviceOf(session.user_agent) || t('sessions.unknown');

  const end = () => task.run(async () => {
    await adminApi.endSession(user, session.id);
    setEnded(true);
  });

  if (ended) return <RowOutcome>{t('sessions.ended')}</RowOutcome>;
  return (
    <li className="row">
      <SessionFacts session={session} />
      {session.current ? <span className="badge good">{t('sessions.current')}</span> : (
        <Button task={task} onClick={() => void end()} aria-label={t('user.sessionEndOf', { device, address: session.address })}>
          {t('user.sessionEnd')}
        </Button>
      )}
      {task.problem && <ProblemNotice problem={task.problem} />}
    </li>
  );
}
