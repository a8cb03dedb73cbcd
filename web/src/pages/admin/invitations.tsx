// Owns the invitations: making one, the list of open ones, revoking one.

import { useEffect, useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { Invitation, NewInvitation } from '../../api/types';
import { useConfig } from '../../config';
import { useLanguage } from '../../i18n';
import { useLoad } from '../../load';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Loading } from '../../ui/loading';
import { LongList } from '../../ui/long-list';
import { Notice, ProblemNotice } from '../../ui/notice';
import { RowOutcome } from '../../ui/outcome';
import { Section } from '../../ui/section';
import { AdminPage } from './frame';
import { Invite } from './invite';

export function Invitations() {
  const { t } = useLanguage();
  const { registration } = useConfig();
  const open = useLoad(adminApi.invitations, 'invitations');
  const [made, setMade] = useState<NewInvitation | null>(null);
  const shown = open.data?.invitations;

  const [gone, setGone] = useState(false);

  // The code of an invitation that is revoked or used works no longer, so it goes from the page.
  const revoked = (id: string) => setMade(before => (before?.id === id ? null : before));

  useEffect(() => {
    async function look() {
      if (!made || document.visibilityState !== 'visible') return;
      const list = await adminApi.invitations().catch(() => undefined);
      if (!list || list.invitations.some(each => each.id === made.id)) return;
      setMade(null);
      setGone(true);
      open.set(list);
    }
    const onVisible = () => void look();
    document.addEventListener('visibilitychange', onVisible);
    return () => document.removeEventListener('visibilitychange', onVisible);
  }, [made, open.set]);

  function invited(invitation: NewInvitation | null) {
    setMade(invitation);
    setGone(false);
    if (invitation) open.reload();
  }

  return (
    <AdminPage title={t('admin.invitations')}>
      {registration !== 'invite' && <Notice kind="plain">{t('invite.notNow')}</Notice>}
      <Invite made={made} gone={gone} onMade={invited} />
      <Section title={t('invite.open')}>
        {shown?.length === 0 && <p className="muted">{t('invite.none')}</p>}
        {shown && shown.length > 0 && (
          <LongList items={shown}>{(each, gone) => <Row key={each.id} invitation={each} gone={gone} onRevoked={revoked} />}</LongList>
        )}
        <Loading of={open} />
      </Section>
    </AdminPage>
  );
}

function Row({ invitation, gone, onRevoked }: { invitation: Invitation; gone: boolean; onRevoked: (id: string) => void }) {
  const { t, when } = useLanguage();
  const task = useTask();
  const [done, setDone] = useState(false);
  const { id, roles, expires } = invitation;

  const revoke = () => task.run(async () => {
    await adminApi.revoke(id);
    setDone(true);
    onRevoked(id);
  });

  if (done) return <RowOutcome>{t('invite.revoked')}</RowOutcome>;
  if (gone) return null;
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
