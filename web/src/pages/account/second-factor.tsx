// Owns the second factor: its state, turning it on and off, and new recovery codes.

import { useState } from 'react';
import { api } from '../../api/endpoints';
import type { Me } from '../../api/types';
import { useLanguage } from '../../i18n';
import { Button } from '../../ui/button';
import { Form } from '../../ui/form';
import { Said } from '../../ui/notice';
import { Section } from '../../ui/section';
import { Enrol } from './enrol';
import { Proof } from './proof';
import { RecoveryCodes } from './recovery-codes';

type Doing = 'nothing' | 'turning-on' | 'turning-off' | 'new-codes';

export function SecondFactor({ me, onChange }: { me: Me; onChange: () => void }) {
  const { t } = useLanguage();
  const [doing, setDoing] = useState<Doing>('nothing');
  const [codes, setCodes] = useState<string[] | null>(null);
  const [said, setSaid] = useState('');
  const stop = () => setDoing('nothing');

  function begin(what: Doing) {
    setSaid('');
    setDoing(what);
  }

  function show(fresh: string[]) {
    setCodes(fresh);
    stop();
    onChange();
  }

  async function turnOff(text: (name: string) => string) {
    await api.removeSecondFactor(text('password'), text('otp'));
    setSaid(t('factor.isOff'));
    stop();
    onChange();
  }

  async function replace(text: (name: string) => string) {
    show((await api.newRecoveryCodes(text('password'), text('otp'))).recovery_codes);
  }

  return (
    <Section title={t('factor.title')}>
      {!codes && <State me={me} />}
      <Said>{said}</Said>
      {codes && <RecoveryCodes codes={codes} name={me.username} onKept={() => setCodes(null)} />}
      {doing === 'nothing' && !codes && <Choices me={me} begin={begin} />}
      {doing === 'turning-on' && <Enrol onDone={show} onCancel={stop} />}
      {doing === 'turning-off' && (
        <Form submit={t('factor.turnOff')} danger send={turnOff} onCancel={stop}><Proof me={me} autoFocus /></Form>
      )}
      {doing === 'new-codes' && (
        <Form submit={t('factor.newCodes')} send={replace} onCancel={stop}><Proof me={me} autoFocus /></Form>
      )}
    </Section>
  );
}

function State({ me }: { me: Me }) {
  const { t, count } = useLanguage();
  if (!me.second_factor) return <p>{t('factor.off')}</p>;
  return (
    <>
      <p>{t('factor.on')} {count('recovery.left', me.recovery_codes)}</p>
      {me.second_factor_required && <p>{t('factor.required')}</p>}
    </>
  );
}

function Choices({ me, begin }: { me: Me; begin: (what: Doing) => void }) {
  const { t } = useLanguage();
  return (
    <div className="buttons">
      {me.second_factor ? (
        <>
          <Button onClick={() => begin('new-codes')}>{t('factor.newCodes')}</Button>
          {!me.second_factor_required && <Button onClick={() => begin('turning-off')}>{t('factor.turnOff')}</Button>}
        </>
      ) : (
        <Button onClick={() => begin('turning-on')}>{t('factor.turnOn')}</Button>
      )}
    </div>
  );
}
