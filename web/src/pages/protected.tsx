// Owns the protected message: the smallest page that loads data with the token.

import { api } from '../api/endpoints';
import { useLanguage } from '../i18n';
import { useLoad } from '../load';
import { Loading } from '../ui/loading';
import { Page } from '../ui/page';

export function Protected() {
  const { t } = useLanguage();
  const message = useLoad(api.protected, 'protected');
  return (
    <Page title={t('protected.title')} narrow>
      <p className="intro">{t('protected.intro')}</p>
      {message.data ? <blockquote>{message.data.message}</blockquote> : <Loading of={message} />}
    </Page>
  );
}
