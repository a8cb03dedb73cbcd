// Owns the sessions of the user, and ending one or all of them.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Session } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useFreshLogins } from '../../login-again';
import { navigate } from '../../router';
import { say } from '../../said';
import { useSession } from '../../session';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { Loading } from '../../ui/loading';
import { LongList } from '../../ui/long-list';
import { ProblemNotice } from '../../ui/notice';
import { RowOutcome } from '../../ui/outcome';
import { Section } from '../../ui/section';
import { currentFirst, deviceOf, SessionFacts } from '../../ui/session-facts';

// `passwordChanges` counts those on this page: each ends all other sessions.
export function Sessions({ passwordChanges }: { passwordChanges: number }) {
  const { t } = useLanguage();
  const { claims } = useSession();
  const sessions = useLoad(api.sessions, `sessions ${passwordChanges}`, `${claims?.jti} ${useFreshLogins()}`);
  const [asking, setAsking] = useState(false);
  const shown = sessions.data?.sessions;

  function ended(id: string) {
    if (shown) sessions.set({ sessions: shown.filter(each => each.id !== id) });
    // A fresh login may have been required, which began a new session too.
    sessions.reload();
  }

  async function leave() {
    await api.logOutEverywhere();
    navigate('/');
    say('logout.done');
  }

  return (
    <Section title={t('sessions.title')}>
      {shown && (
        <LongList items={currentFirst(shown)}>
          {(each, gone) => <Row key={each.id} session={each} gone={gone} onEnded={() => ended(each.id)} />}
        </LongList>
      )}
      <Loading of={sessions} />
      <Button onClick={() => setAsking(true)}>{t('sessions.everywhere')}</Button>
      {asking && (
        <Confirm
          title={t('sessions.everywhere')}
          text={t('sessions.everywhereText')}
          submit={t('sessions.everywhere')}
          send={leave}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  );
}

function Row({ session, gone, onEnded }: { session: Session; gone: boolean; onEnded: () => void }) {
  const { t } = useLanguage();
  const task = useTask();
  const [done, setDone] = useState(false);
  const device = deviceOf(session.user_agent) || t('sessions.unknown');

  const end = () => task.run(async () => {
    await api.endSession(session.id);
    setDone(true);
    onEnded();
  });

  if (done) return <RowOutcome>{t('sessions.ended')}</RowOutcome>;
  if (gone) return null;
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
