// Owns the app passwords: their list, adding one, whose text the server sends only once, and deleting one.

import { useId, useState } from 'react';
import { api } from '../../api/endpoints';
import type { AppPassword, Me } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage } from '../../i18n';
import type { Loaded } from '../../load';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Field, Tick } from '../../ui/field';
import { Form } from '../../ui/form';
import { Loading } from '../../ui/loading';
import { LongList } from '../../ui/long-list';
import { ProblemNotice } from '../../ui/notice';
import { RowOutcome } from '../../ui/outcome';
import { Secret } from '../../ui/secret';
import { Section } from '../../ui/section';

type List = Loaded<{ app_passwords: AppPassword[] }>;

export function AppPasswords({ me, list }: { me: Me; list: List }) {
  const { t } = useLanguage();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState('');
  const shown = list.data?.app_passwords;

  function added(password: string) {
    setAdding(false);
    setMade(password);
    list.reload();
  }

  function deleted(id: string) {
    if (shown) list.set({ app_passwords: shown.filter(each => each.id !== id) });
  }

  return (
    <Section title={t('apps.title')}>
      <p>{t('apps.text')}</p>
      {shown && (
        <LongList items={shown}>
          {(each, gone) => <Row key={each.id} password={each} gone={gone} onDeleted={() => deleted(each.id)} />}
        </LongList>
      )}
      <Loading of={list} />
      {made && <Made name={me.username} password={made} onClose={() => setMade('')} />}
      {adding && <Add onAdded={added} onCancel={() => setAdding(false)} />}
      {!adding && !made && <Button onClick={() => setAdding(true)}>{t('apps.add')}</Button>}
    </Section>
  );
}

function Row({ password, gone, onDeleted }: { password: AppPassword; gone: boolean; onDeleted: () => void }) {
  const { t, when, day } = useLanguage();
  const task = useTask();
  const [done, setDone] = useState(false);
  const { id, name, hosts, created, expires, used, used_address } = password;

  const remove = () => task.run(async () => {
    await api.deleteAppPassword(id);
    setDone(true);
    onDeleted();
  });

  if (done) return <RowOutcome>{t('apps.deleted')}</RowOutcome>;
  if (gone) return null;
  const facts = [
    hosts.join(', '),
    t('sessions.began', { when: day(created) }),
    expires !== null && t('invite.until', { when: day(expires) }),
    used === null ? t('apps.unused') : t('sessions.used', { when: when(used) }),
    used_address,
  ];
  return (
    <li className="row">
      <div className="row-text">
        <strong>{name}</strong>
        <span className="muted">{facts.filter(Boolean).join(' · ')}</span>
      </div>
      {password.api && <span className="badge">API</span>}
      <Button task={task} onClick={() => void remove()} aria-label={t('apps.deleteOf', { name })}>{t('apps.delete')}</Button>
      {task.problem && <ProblemNotice problem={task.problem} />}
    </li>
  );
}

function Add({ onAdded, onCancel }: { onAdded: (password: string) => void; onCancel: () => void }) {
  const { t } = useLanguage();
  const { issuer } = useConfig();

  async function send(text: (name: string) => string) {
    const days = Number(text('days'));
    const hosts = text('hosts').split(/[\s,]+/).filter(Boolean);
    const { password } = await api.addAppPassword({
      name: text('name'),
      ...(days > 0 && { expires_in: days * 86_400 }),
      ...(hosts.length > 0 && { hosts }),
      ...(text('api') === 'on' && { api: true }),
    });
    onAdded(password);
  }

  return (
    <Form submit={t('apps.submit')} send={send} onCancel={onCancel}>
      <Field name="name" label={t('apps.name')} hint={t('apps.nameHint')} maxLength={64} autoComplete="off" autoFocus />
      <Lifespan />
      <Field
        name="hosts"
        label={`${t('apps.hosts')} (${t('field.optional')})`}
        hint={t('apps.hostsHint')}
        required={false}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
      />
      <Tick name="api" label={t('apps.api', { issuer })} />
    </Form>
  );
}

function Lifespan() {
  const { t } = useLanguage();
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{t('invite.days')}</label>
      <select id={id} name="days" defaultValue="0">
        <option value="30">{t('invite.month')}</option>
        <option value="365">{t('apps.year')}</option>
        <option value="0">{t('apps.forever')}</option>
      </select>
    </div>
  );
}

function Made({ name, password, onClose }: { name: string; password: string; onClose: () => void }) {
  const { t } = useLanguage();
  return (
    <>
      <Secret label={t('apps.password')} value={password} />
      <p className="hint" role="status">{t('apps.made', { name })}</p>
      <Button onClick={onClose}>{t('form.close')}</Button>
    </>
  );
}
