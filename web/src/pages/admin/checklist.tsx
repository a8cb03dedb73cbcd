// Owns the checklist after the first start: what is done, what is open, and how to do it. What the
// server cannot know is ticked off here.

import { useId, type ReactNode } from 'react';
import { adminApi } from '../../api/endpoints';
import type { Checklist as List } from '../../api/types';
import { putAway, tick, useTicked } from '../../checklist';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { Link, navigate } from '../../router';
import { say } from '../../said';
import { Button } from '../../ui/button';
import { Loading } from '../../ui/loading';
import { Command } from '../../ui/no-admin';
import { AdminPage } from './frame';
import { TestMail } from './test-mail';

const BACKUP = {
  sqlite: 'lictor backup --keep 14 FOLDER',
  postgres: 'pg_dump --format=custom --schema=lictor --file=lictor.dump URL',
};

export function Checklist() {
  const { t } = useLanguage();
  const list = useLoad(adminApi.checklist, 'checklist');

  function away() {
    putAway(true);
    say('setup.awayDone', { address: '/admin/checklist' });
    navigate('/admin');
  }

  return (
    <AdminPage title={t('setup.list')}>
      {list.data ? (
        <>
          <p className="intro">{t('setup.listText')}</p>
          <Items list={list.data} />
          <div className="buttons"><Button onClick={away}>{t('setup.away')}</Button></div>
        </>
      ) : (
        <Loading of={list} />
      )}
    </AdminPage>
  );
}

function Items({ list }: { list: List }) {
  const { t } = useLanguage();
  const ticked = useTicked();
  return (
    <ul className="rows steps">
      <Item title={t('setup.name')} done={!list.default_issuer || ticked.includes('name')} name={list.default_issuer && 'name'}>
        <p>{t('setup.nameText', { issuer: list.issuer })}</p>
        <Command>--issuer "Our photos"</Command>
      </Item>
      <Item title={t('setup.who')} done={list.registration !== 'open' || ticked.includes('who')} name={list.registration === 'open' && 'who'}>
        <p>{t(`setup.who.${list.registration}`)} {t('setup.whoText')}</p>
        <Command>--registration open|email|invite|closed</Command>
      </Item>
      <Item title={t('setup.mail')} done={list.mail && ticked.includes('mail')} name={list.mail && 'mail'}>
        {list.mail ? (
          <>
            <p>{t('setup.mailText')}</p>
            <TestMail email={list.email} onSent={() => tick('mail')} />
          </>
        ) : (
          <>
            <p>{t('setup.mailNone')}</p>
            <Command>--mail smtp+starttls://USER@HOST --mail-from login@example.org</Command>
            {!list.public_url && <Command>--public-url https://login.example.org</Command>}
          </>
        )}
      </Item>
      <Item title={t('setup.factor')} done={list.second_factor}>
        <p>{t(list.second_factor ? 'setup.factorOn' : 'setup.factorText')}</p>
        {!list.second_factor && <p><Link to="/account">{t('setup.factorGo')}</Link></p>}
      </Item>
      <Item title={t('setup.backup')} done={ticked.includes('backup')} name="backup">
        <p>{t(`setup.backup.${list.database}`)}</p>
        <Command>{BACKUP[list.database]}</Command>
      </Item>
    </ul>
  );
}

interface ItemProps {
  title: string;
  done: boolean;
  // The name under which it can be ticked off.
  name?: string | false;
  children: ReactNode;
}

function Item({ title, done, name, children }: ItemProps) {
  const { t } = useLanguage();
  const id = useId();
  return (
    <li className="row step">
      <div className="row-text">
        <div className="step-head">
          <h2>{title}</h2>
          <span className={done ? 'badge good' : 'badge'}>{t(done ? 'setup.isDone' : 'setup.isOpen')}</span>
        </div>
        {children}
        {name && (
          <div className="field tick">
            <input
              id={id}
              type="checkbox"
              checked={done}
              aria-label={`${t('setup.tick')}: ${title}`}
              onChange={event => tick(name, event.currentTarget.checked)}
            />
            <label htmlFor={id}>{t('setup.tick')}</label>
          </div>
        )}
      </div>
    </li>
  );
}
