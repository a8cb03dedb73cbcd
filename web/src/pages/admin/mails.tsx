// Owns the mails that wait to be sent and those that were given up, with trying one again and dropping it.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { QueuedMail } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage, type Key } from '../../i18n';
import { Link } from '../../router';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Loading } from '../../ui/loading';
import { Notice, ProblemNotice } from '../../ui/notice';
import { RowOutcome } from '../../ui/outcome';
import { mailKind } from './audit-details';
import { AdminPage } from './frame';
import { useListed } from './listed';
import { Paging } from './paging';

export function Mails() {
  const { t } = useLanguage();
  const { mail } = useConfig();
  return (
    <AdminPage title={t('admin.mails')}>
      <p className="intro">{t('mails.text')}</p>
      {!mail && <Notice kind="plain">{t('mails.off')}</Notice>}
      <Waiting />
    </AdminPage>
  );
}

function Waiting() {
  const { t } = useLanguage();
  const { page, busy, version, reload, problem } = useListed(query => adminApi.mails(query.get('after') ?? undefined));

  if (!page) return <><Loading of={{ problem, reload }} />{problem && <Paging next={null} />}</>;
  const { mails, next } = page;
  return (
    <>
      {mails.length === 0 && <p className="muted">{t('mails.none')}</p>}
      {mails.length > 0 && (
        <ul key={version} className="rows" aria-busy={busy}>{mails.map(each => <Row key={each.id} mail={each} />)}</ul>
      )}
      {problem && <ProblemNotice problem={problem} />}
      <div className="buttons"><Button onClick={reload}>{t('mails.reload')}</Button></div>
      <Paging next={next} />
    </>
  );
}

function Row({ mail }: { mail: QueuedMail }) {
  const { t, count, when } = useLanguage();
  const task = useTask();
  const [done, setDone] = useState<Key | null>(null);
  const { id, email, user, name, created, attempts, due, failure } = mail;
  const kind = useKindWords(mail.kind);

  const act = (work: (id: number) => Promise<unknown>, words: Key) => task.run(async () => {
    await work(id);
    setDone(words);
  });

  if (done) return <RowOutcome>{t(done, { kind, email })}</RowOutcome>;
  const facts = [
    t('sessions.began', { when: when(created) }),
    attempts > 0 && count('mails.attempts', attempts),
    due !== null && t('mails.next', { when: when(due) }),
  ];
  return (
    <li className="row">
      <div className="row-text">
        <strong>{kind}</strong>
        <span>
          {email}
          {user !== null && <> · <Link to={`/admin/users/${user}`}>{name ?? t('audit.number', { n: user })}</Link></>}
        </span>
        <span className="muted">{facts.filter(Boolean).join(' · ')}</span>
        {failure && <span className="failure">{failure}</span>}
      </div>
      <span className={due === null ? 'badge bad' : 'badge waits'}>{t(due === null ? 'mails.givenUp' : 'mails.waits')}</span>
      <div className="buttons">
        <Button task={task} onClick={() => void act(adminApi.retryMail, 'mails.retried')} aria-label={t('mails.retryOf', { kind, email })}>
          {t('mails.retry')}
        </Button>
        <Button task={task} onClick={() => void act(adminApi.dropMail, 'mails.dropped')} aria-label={t('mails.dropOf', { kind, email })}>
          {t('mails.drop')}
        </Button>
      </div>
      {task.problem && <ProblemNotice problem={task.problem} />}
    </li>
  );
}

// A kind that this app does not know is shown by its name.
function useKindWords(kind: string): string {
  const { t, has } = useLanguage();
  const key = mailKind(kind);
  return has(key) ? t(key) : kind;
}
