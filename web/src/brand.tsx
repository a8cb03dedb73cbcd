// Owns what pages show of the operator's brand. The logo and its place are in /brand.css, which the
// server writes and the document loads, so nothing changes when the configuration arrives.

import { useConfigLoad } from './config';
import { useLanguage } from './i18n';
import { isPlace } from './return-to';
import { Link } from './router';
import { Mark } from './ui/icons';

// /brand.css shows either the mark or the logo.
export function Brand() {
  const { data: config } = useConfigLoad();
  const inside = (
    <>
      <Mark />
      <span className="logo" />
      <span className="name">{config?.issuer}</span>
    </>
  );
  // Without its name it is no link.
  if (!config) return <span className="brand">{inside}</span>;
  const { home_url: home } = config;
  return home && isPlace(home)
    ? <a href={home} className="brand">{inside}</a>
    : <Link to="/" className="brand">{inside}</Link>;
}

// The links of the footer. They lead to pages of other servers.
export function Links() {
  const { t } = useLanguage();
  const brand = useConfigLoad().data?.brand;
  if (!brand?.imprint && !brand?.privacy) return null;
  return (
    <span className="links">
      {brand.imprint && <a href={brand.imprint}>{t('brand.imprint')}</a>}
      {brand.privacy && <a href={brand.privacy}>{t('brand.privacy')}</a>}
    </span>
  );
}
