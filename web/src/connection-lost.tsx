// Owns the message that the server cannot be reached.

import { useLanguage } from './i18n';
import { useSession } from './session';

export function ConnectionLost() {
  const { t } = useLanguage();
  const { offline } = useSession();
  return <div className="lost" role="status">{offline && <p>{t('lost.text')}</p>}</div>;
}
