// Owns the page of unknown paths.

import { useLanguage } from '../i18n';
import { Link } from '../router';
import { Page } from '../ui/page';

export function NotFound() {
  const { t } = useLanguage();
  return (
    <Page title={t('missing.title')} narrow>
      <p className="intro">{t('missing.text')}</p>
      <div className="buttons"><Link className="button plain" to="/">{t('finalize.home')}</Link></div>
    </Page>
  );
}
