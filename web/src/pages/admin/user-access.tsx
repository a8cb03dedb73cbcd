// Owns activating and deactivating a user, and forgetting the failed logins that keep one out.

import { useState } from 'react';
import { adminApi } from '../../api/endpoints';
import { useLanguage } from '../../i18n';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { Confirm } from '../../ui/confirm';
import { ProblemNotice, Said } from '../../ui/notice';
import { Outcome } from '../../ui/outcome';
import type { UserProps } from './user';

export function UserAccess({ user, self, onChange }: UserProps) {
  const { t } = useLanguage();
  const task = useTask();
  const [asking, setAsking] = useState(false);
  const [said, setSaid] = useState('');
  const { id, username: name, active } = user;

  async function turn() {
    setSaid('');
    await adminApi.setActive(id, !active);
    setSaid(t(active ? 'user.deactivated' : 'user.activated', { name }));
    setAsking(false);
    onChange();
  }

  return (
    <>
      {user.state === 'unconfirmed' && <p>{t('user.unconfirmedText', { name })}</p>}
      <Button task={task} onClick={() => (self && active ? setAsking(true) : void task.run(turn))}>
        {t(active ? 'user.deactivate' : 'user.activate')}
      </Button>
      {task.problem && <ProblemNotice problem={task.problem} />}
      <Said>{!task.problem && said}</Said>
      {asking && (
        <Confirm
          title={t('user.deactivateSelf')}
          text={t('user.deactivateSelfText')}
          submit={t('user.deactivate')}
          send={turn}
          onClose={() => setAsking(false)}
        />
      )}
    </>
  );
}

export function Unlock({ user, onChange }: UserProps) {
  const { t, count } = useLanguage();
  const task = useTask();
  const [done, setDone] = useState(false);
  const { id, username: name, locked, failures } = user;

  const unlock = () => task.run(async () => {
    await adminApi.unlock(id);
    setDone(true);
    onChange();
  });

  if (done) return <Outcome>{t('user.unlocked', { name })}</Outcome>;
  if (!locked && failures === 0) return null;
  return (
    <>
      <p className={locked ? 'notice bad' : 'muted'}>
        {[count('user.failures', failures), locked && t('user.locked')].filter(Boolean).join(' ')}
      </p>
      <Button task={task} onClick={() => void unlock()}>{t('user.unlock')}</Button>
      {task.problem && <ProblemNotice problem={task.problem} />}
    </>
  );
}
