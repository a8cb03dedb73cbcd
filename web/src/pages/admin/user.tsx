// Owns the page of one user: the account, and what an administrator can change.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { User } from '../../api/types';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { Link, navigate, useAddress } from '../../router';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { Field } from '../../ui/field';
import { Form } from '../../ui/form';
import { Loading } from '../../ui/loading';
import { ProblemNotice, Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { AdminPage } from './frame';
import { parseRoles } from './roles';
import { NewPasswordLink } from './user-link';
import { UserSessions } from './user-sessions';

export function UserPage() {
  const { t } = useLanguage();
  const id = Number(useAddress().path.split('/').pop());
  const user = useLoad(() => adminApi.user(id), String(id));
  return (
    <AdminPage title={user.data?.username ?? t('admin.users')}>
      {user.data ? (
        <>
          <Facts user={user.data} onChange={user.set} />
          <Roles user={user.data} onChange={user.set} />
          <NewPasswordLink user={user.data} />
          {/* Deactivating a user ends the sessions, so the list is loaded again. */}
          <UserSessions key={String(user.data.active)} user={user.data} />
          <Delete user={user.data} />
        </>
      ) : (
        <Loading of={user} />
      )}
      <p className="aside"><Link to="/admin">{t('user.back')}</Link></p>
    </AdminPage>
  );
}

interface Props {
  user: User;
  onChange: (user: User) => void;
}

function Facts({ user, onChange }: Props) {
  const { t, when } = useLanguage();
  return (
    <Section title={t('profile.title')}>
      <dl className="facts">
        <dt>{t('user.id')}</dt>
        <dd>{user.id}</dd>
        <dt>{t('field.email')}</dt>
        <dd>{user.email ?? <span className="muted">{t('account.noEmail')}</span>}</dd>
        <dt>{t('user.created')}</dt>
        <dd>{when(user.created)}</dd>
        <dt>{t('users.factor')}</dt>
        <dd>{t(user.second_factor ? 'user.on' : 'user.off')}</dd>
        <dt>{t('user.state')}</dt>
        <dd>{user.active ? t('user.active') : <span className="badge bad">{t('users.inactive')}</span>}</dd>
      </dl>
      <Active user={user} onChange={onChange} />
      <p><Link to={`/admin/audit?user=${user.id}`}>{t('user.audit')}</Link></p>
    </Section>
  );
}

function Active({ user, onChange }: Props) {
  const { t } = useLanguage();
  const task = useTask();
  const [said, setSaid] = useState('');
  const { username: name, active } = user;

  const turn = () => task.run(async () => {
    onChange(await adminApi.setActive(user.id, !active));
    setSaid(t(active ? 'user.deactivated' : 'user.activated', { name }));
  });

  return (
    <>
      <Button task={task} onClick={() => void turn()}>{t(active ? 'user.deactivate' : 'user.activate')}</Button>
      {task.problem && <ProblemNotice problem={task.problem} />}
      <Said>{!task.problem && said}</Said>
    </>
  );
}

function Roles({ user, onChange }: Props) {
  const { t } = useLanguage();
  const [saved, setSaved] = useState(false);

  async function send(text: (name: string) => string) {
    setSaved(false);
    onChange(await adminApi.setRoles(user.id, parseRoles(text('roles'))));
    setSaved(true);
  }

  return (
    <Section title={t('account.roles')}>
      <Form submit={t('form.save')} send={send}>
        <Field
          name="roles"
          label={t('account.roles')}
          hint={t('user.rolesHint')}
          required={false}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          defaultValue={user.roles.join(', ')}
        />
      </Form>
      <Said>{saved && t('user.rolesSaved')}</Said>
    </Section>
  );
}

function Delete({ user }: { user: User }) {
  const { t } = useLanguage();
  const [asking, setAsking] = useState(false);
  const name = user.username;

  async function send() {
    await adminApi.deleteUser(user.id);
    navigate('/admin', { replace: true });
  }

  return (
    <Section title={t('user.delete')}>
      <p>{t('user.deleteText', { name })}</p>
      <Button look="danger" onClick={() => setAsking(true)}>{t('user.delete')}</Button>
      {asking && (
        <Confirm
          title={t('user.delete')}
          text={t('user.deleteText', { name })}
          submit={t('user.deleteSubmit', { name })}
          send={send}
          onClose={() => setAsking(false)}
        />
      )}
    </Section>
  );
}
