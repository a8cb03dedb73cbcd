// Owns the message, on pages for people who are not logged in, that the browser is still logged in to the
// apps behind the proxy, with the button that ends this.

import { useLanguage } from '../i18n';
import { useLoad } from '../load';
import { finishLogout, logOut, usePendingLogout } from '../logout';
import { auth } from '../session';
import { useTask } from '../task';
import { Button } from './button';
import { Loading } from './loading';
import { Notice } from './notice';

export function AppsLogin() {
  const { t } = useLanguage();
  const pending = usePendingLogout();
  // Repeats a pending logout as soon as the server can be reached.
  const name = useLoad(finishLogout, 'apps login');
  const task = useTask();

  if (pending?.unanswered && !name.problem) {
    const retry = () => task.run(async () => void (await auth.retry()));
    return (
      <Notice kind="bad">
        {t('logout.pending')} <Button look="link" task={task} onClick={() => void retry()}>{t('load.again')}</Button>
      </Notice>
    );
  }
  if (pending) return <Loading of={name} quiet />;
  if (!name.data) return null;
  const leave = () => {
    logOut();
    name.set(null);
    name.reload();
  };
  return (
    <Notice kind="plain">
      {t('logout.apps', { name: name.data })} <Button look="link" onClick={leave}>{t('nav.logout')}</Button>
    </Notice>
  );
}
