// Owns pages that are loaded when they are first shown, so that the login loads only what it needs.

import { useEffect, useState, type ComponentType } from 'react';
import { api } from './api/endpoints';
import { useLanguage } from './i18n';
import { loaded } from './load';
import { reloadOnce } from './reload';
import { Button } from './ui/button';
import { Loading } from './ui/loading';
import { Page } from './ui/page';

export type LazyPage<P> = ComponentType<P> & {
  // Loads it before it is shown.
  preload: () => void;
};

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): LazyPage<P> {
  let Loaded: ComponentType<P> | undefined;

  async function loadOnce() {
    Loaded ??= await load();
  }

  function Lazy(props: P) {
    const [failed, setFailed] = useState(false);
    const [, setThere] = useState(Loaded !== undefined);

    useEffect(() => {
      // It may have come between the first drawing and now.
      if (Loaded) return setThere(true);
      let wanted = true;
      void get(loadOnce, () => wanted).then(
        () => wanted && setThere(true),
        () => wanted && !reloadOnce() && setFailed(true),
      );
      return () => void (wanted = false);
    }, []);

    if (Loaded) return <Loaded {...props} />;
    return failed ? <Failed /> : <Loading of={{ problem: undefined, reload: () => {} }} quiet />;
  }

  // A failure is dealt with when the page is shown.
  return Object.assign(Lazy, { preload: () => void loadOnce().catch(() => {}) });
}

// Tries again when the server can be reached. If it can be, and has no such file, it was upgraded.
async function get(load: () => Promise<void>, wanted: () => boolean) {
  try {
    await load();
  } catch {
    await loaded(api.config, wanted);
    if (wanted()) await load();
  }
}

function Failed() {
  const { t } = useLanguage();
  return (
    <Page title={t('load.failed')} narrow>
      <div className="buttons"><Button onClick={() => location.reload()}>{t('load.again')}</Button></div>
    </Page>
  );
}
