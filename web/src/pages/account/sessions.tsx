// Owns the sessions of the user, and ending one or all of them.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Session } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useFreshLogins } from '../../login-again';
import { useSession } from '../../session';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { Loading } from '../../ui/loading';
import { ProblemNotice, Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { deviceOf, SessionFacts } from '../../ui/session-facts';

export function Sessions() {
  const { t } = useLanguage();
  const { claims } = useSession();
  // After a new session, as after a password change, the other sessions have ended.
  const sessions = useLoad(api.sessions, 'sessions', `${claims?.jti} ${useFreshLogins()}`);
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState('');
  const shown = sessions.data?.sessions;

  function ended(id: string) {
    setSaid(t('sessions.ended'));
    if (shown) sessions.set({ sessions: shown.filter(each => each.id !== id) });
    // A fresh login may have been required, which began a new session too.
    sessions.reload();
  }

  return (
    <Section title={t('sessions.title')}>
      {shown ? (
        <ul className="rows">
          {shown.map(each => <Row key={each.id} session={each} onEnded={() => ended(each.id)} />)}
        </ul>
      ) : (
        <Loading of={sessions} />
      )}
      <Said>{said}</Said>
      <Button onClick={() => setAsking(true)}>{t('sessions.everywhere')}</Button>
      {asking && (
        <Confirm
          title={t('sessions.everywhere')}
          text={t('sessions.everywhereText')}
          submit={t('sessions.everywhere')}
          send={api.logOutEverywhere}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  );
}

function Row({ session, onEnded }: { session: Session; onEnded: () => void }) {
  const { t } = useLanguage();
  const task = useTask();
  const device = deviceOf(session.user_agent) || t('sessions.unknown');

  const end = () => task.run(async () => {
    await api.endSession(session.id);
    onEnded();
  });

  return (
    <li className="row">
      <SessionFacts session={session} />
      {session.current ? (
        <span className="badge good">{t('sessions.current')}</span>
      ) : (
        <Button task={task} onClick={() => void end()} aria-label={t('sessions.endOf', { device, address: session.address })}>
          {t('sessions.end')}
        </Button>
      )}
      {task.problem && <ProblemNotice problem={task.problem} />}
    </li>
  );
}
