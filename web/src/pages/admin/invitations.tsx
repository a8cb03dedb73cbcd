// Owns the invitations: making one, the list of open ones, revoking one.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { Invitation } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Loading } from '../../ui/loading';
import { Notice, ProblemNotice, Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { AdminPage } from './frame';
import { Invite } from './invite';

export function Invitations() {
  const { t } = useLanguage();
  const { registration } = useConfig();
  const open = useLoad(adminApi.invitations, 'invitations');
  return (
    <AdminPage title={t('admin.invitations')}>
      {registration !== 'invite' && <Notice kind="plain">{t('invite.notNow')}</Notice>}
      <Invite onMade={open.reload} />
      <Section title={t('invite.open')}>
        {open.data ? <Open invitations={open.data.invitations} onRevoked={open.reload} /> : <Loading of={open} />}
      </Section>
    </AdminPage>
  );
}

function Open({ invitations, onRevoked }: { invitations: Invitation[]; onRevoked: () => void }) {
  const { t } = useLanguage();
  const [said, setSaid] = useState('');

  function revoked() {
    setSaid(t('invite.revoked'));
    onRevoked();
  }

  return (
    <>
      {invitations.length === 0 && <p className="muted">{t('invite.none')}</p>}
      {invitations.length > 0 && (
        <ul className="rows">
          {invitations.map(each => <Row key={each.id} invitation={each} onRevoked={revoked} />)}
        </ul>
      )}
      <Said>{said}</Said>
    </>
  );
}

function Row({ invitation, onRevoked }: { invitation: Invitation; onRevoked: () => void }) {
  const { t, when } = useLanguage();
  const task = useTask();
  const { id, roles, expires } = invitation;

  const revoke = () => task.run(async () => {
    await adminApi.revoke(id);
    onRevoked();
  });

  return (
    <li className="row">
      <div className="row-text">
        <strong>{roles.join(', ') || t('invite.noRoles')}</strong>
        <span className="muted"><code>{id}</code> · {t('invite.until', { when: when(expires) })}</span>
      </div>
      <Button task={task} onClick={() => void revoke()} aria-label={t('invite.revokeOf', { id })}>{t('invite.revoke')}</Button>
      {task.problem && <ProblemNotice problem={task.problem} />}
    </li>
  );
}
