// Owns the list of the apps behind the proxy that the user may open. Shows nothing if the server knows
// of none.

import { api } from '../api/endpoints';
import { useConfig } from '../config';
import { useLanguage } from '../i18n';
import { useLoad } from '../load';
import { useMe } from '../me';
import { useSession } from '../session';
import { Arrow } from './icons';

export function Apps() {
  const { cookie } = useConfig();
  return cookie ? <Opened /> : null;
}

function Opened() {
  const { t } = useLanguage();
  const { claims } = useSession();
  const { data: me } = useMe();
  const { data } = useLoad(api.apps, String(claims?.id ?? ''), me?.roles.join());
  if (!data?.apps.length) return null;
  return (
    <>
      <h2>{t('setup.apps')}</h2>
      <ul className="cards">
        {data.apps.map(app => (
          <li className="card" key={app.host}>
            <h3><a href={app.url}>{app.host}</a></h3>
            <Arrow />
          </li>
        ))}
      </ul>
    </>
  );
}
