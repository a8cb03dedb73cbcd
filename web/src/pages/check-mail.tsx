// Owns the page after a mail was sent, which can be sent again, also to another address. What that takes,
// the address and for a registration the password, is kept in memory and not in the URL or a storage.

import { useState } from 'react';
import { api } from '../api/endpoints';
import type { RegisterWith } from 'lictor-auth';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { Link, navigate } from '../router';
import { auth } from '../session';
import { useTask } from '../task';
import { Button } from '../ui/button';
import { EmailField } from '../ui/field';
import { Form } from '../ui/form';
import { Notice, Said } from '../ui/notice';
import { Page } from '../ui/page';
import { useExplain } from '../i18n/explain';

interface Sent {
  email: string;
  // The account that is waiting; without one, the mail is about a new password.
  account?: RegisterWith;
}

let sent: Sent | null = null;

// It was the last thing to do for the account.
auth.subscribe(() => {
  if (auth.state.loggedIn) sent = null;
});

export function mailTo(what: Sent) {
  sent = what;
}

export function CheckMail() {
  const { t } = useLanguage();
  const [known] = useState(sent);
  return (
    <Page title={t('mail.title')} narrow>
      {known ? <Known first={known} /> : <Unknown />}
      <p className="aside"><Link to="/login">{t('mail.toLogin')}</Link></p>
    </Page>
  );
}

// After the page was loaded again, nobody knows what was sent.
function Unknown() {
  const { t } = useLanguage();
  const { registration } = useConfig();
  return (
    <>
      <p className="intro">{t('mail.unknown')}</p>
      <p>{t('mail.spam')}</p>
      {registration === 'email' && (
        <p>{t('mail.lost')} <Link to="/register">{t('mail.registerAgain')}</Link></p>
      )}
    </>
  );
}

function Known({ first }: { first: Sent }) {
  const { t } = useLanguage();
  const explain = useExplain();
  const [{ email, account }, setKnown] = useState(first);
  const [correcting, setCorrecting] = useState(false);
  const [said, setSaid] = useState('');
  const task = useTask();

  async function send(to: string) {
    setSaid('');
    const now = account ? { email: to, account: { ...account, email: to } } : { email: to };
    if (!now.account) await api.reset(to);
    // The server no longer asks for a confirmation.
    else if ((await api.register(now.account)).loggedIn) return navigate('/');
    mailTo(now);
    setKnown(now);
    setCorrecting(false);
    setSaid(now.account ? t('mail.sentAgain') : t('mail.resetAgain', { email: to }));
  }

  // The link was followed meanwhile, or it took too long and somebody else has taken the name.
  const words = { UsernameTaken: t('mail.taken') };
  return (
    <>
      <p className="intro">{t(account ? 'mail.registration' : 'mail.reset', { email })}</p>
      <p>{t('mail.spam')}</p>
      <Said>{said}</Said>
      {correcting ? (
        <Form submit={t('mail.sendThere')} send={text => send(text('email'))} words={words} onCancel={() => setCorrecting(false)}>
          <EmailField autoFocus defaultValue={email} />
        </Form>
      ) : (
        <>
          {task.problem && (
            <Notice key={task.attempts} kind="bad">
              {task.problem.code === 'UsernameTaken' ? words.UsernameTaken : explain(task.problem)}
            </Notice>
          )}
          <div className="buttons">
            <Button task={task} onClick={() => void task.run(() => send(email))}>{t('mail.again')}</Button>
            <Button onClick={() => { setSaid(''); setCorrecting(true); }}>{t('mail.wrong')}</Button>
          </div>
        </>
      )}
    </>
  );
}
