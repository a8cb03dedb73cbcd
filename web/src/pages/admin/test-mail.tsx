// Owns the test mail: sends it, and shows whether it was sent, waits or has failed.

import { useEffect, useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { TestMail as State } from '../../api/types';
import { useLanguage } from '../../i18n';
import { EmailField } from '../../ui/field';
import { Form } from '../../ui/form';

const PAUSE_MS = 1_000;
// A mail that waits is tried again by the server; after this the page only says so.
const MOST_LOOKS = 60;
// Until the server has said more.
const WAITS: State = { state: 'waits', failure: '', due: null };

interface Sent {
  id: number;
  email: string;
}

export function TestMail({ email, onSent }: { email: string | null; onSent: () => void }) {
  const { t } = useLanguage();
  const [sent, setSent] = useState<Sent | null>(null);
  const state = useTestMail(sent, onSent);

  async function send(text: (name: string) => string) {
    setSent(await adminApi.sendTestMail(text('email')));
  }

  return (
    <>
      <Form submit={t('setup.mailSubmit')} send={send}>
        <EmailField defaultValue={email ?? ''} />
      </Form>
      <div role="status">
        {sent && (
          <p className={`notice ${state.state === 'sent' ? 'good' : state.state === 'failed' ? 'bad' : 'plain'}`}>
            {t(`setup.mail.${state.state}`, { email: sent.email })}
            {state.failure && <> <span className="muted">{state.failure}</span></>}
          </p>
        )}
      </div>
    </>
  );
}

// The state of the mail `sent`; an answer about an earlier mail does not count.
function useTestMail(sent: Sent | null, onSent: () => void): State {
  const [last, setLast] = useState<{ mail: Sent; state: State } | null>(null);

  useEffect(() => {
    if (!sent) return;
    let wanted = true;
    let looks = 0;
    const stop = () => {
      wanted = false;
      clearInterval(timer);
    };
    const timer = setInterval(async () => {
      if (++looks >= MOST_LOOKS) clearInterval(timer);
      const found = await adminApi.testMail(sent.id).catch(() => null);
      if (!found || !wanted) return;
      // An earlier look may be answered later than the final one.
      if (found.state !== 'waits') stop();
      setLast({ mail: sent, state: found });
      if (found.state === 'sent') onSent();
    }, PAUSE_MS);
    return stop;
    // `onSent` is a new function at each render.
  }, [sent]);
  return last !== null && last.mail === sent ? last.state : WAITS;
}
