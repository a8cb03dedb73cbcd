// Owns the page after a mail was sent. The e-mail address is kept in memory and not in the URL.

import { useLanguage } from '../i18n';
import { Link } from '../router';
import { Page } from '../ui/page';

let sent: { what: 'registration' | 'reset'; email: string } | null = null;

export function mailTo(what: 'registration' | 'reset', email: string) {
  sent = { what, email };
}

export function CheckMail() {
  const { t } = useLanguage();
  return (
    <Page title={t('mail.title')} narrow>
      <p className="intro">{sent ? t(`mail.${sent.what}`, { email: sent.email }) : t('mail.unknown')}</p>
      <p>{t('mail.spam')}</p>
      <div className="buttons"><Link className="button plain" to="/login">{t('mail.toLogin')}</Link></div>
    </Page>
  );
}
