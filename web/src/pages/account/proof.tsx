// Owns the fields that the server requires again before it changes an account: the password, and a code
// if the account has a second factor.

import type { Me } from '../../api/types';
import { useLanguage } from '../../i18n';
import { CodeField, PasswordField } from '../../ui/field';

export function Proof({ me, autoFocus = false }: { me: Me; autoFocus?: boolean }) {
  const { t } = useLanguage();
  return (
    <>
      <PasswordField label={t('field.currentPassword')} autoFocus={autoFocus} />
      <CodeIfOn me={me} />
    </>
  );
}

// Without the code, the password alone would bypass the second factor.
export function CodeIfOn({ me }: { me: Me }) {
  const { t } = useLanguage();
  return me.second_factor ? <CodeField hint={t('code.either')} /> : null;
}
