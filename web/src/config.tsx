// Owns the configuration of the server (GET /api/config); pages show only what the server offers.

import { createContext, useContext, type ReactNode } from 'react';
import { api } from './api/endpoints';
import type { Config } from './api/types';
import { ConnectionLost } from './connection-lost';
import { useLoad, type Loaded } from './load';
import { Loading } from './ui/loading';

const Context = createContext<Config | null>(null);

export function ConfigProvider({ children }: { children: ReactNode }) {
  const config = useLoad(api.config, 'config');
  if (!config.data) return <Before config={config} />;
  return <Context value={config.data}>{children}</Context>;
}

// The name of the service is not loaded yet, so there is no heading.
function Before({ config }: { config: Loaded<Config> }) {
  return (
    <main className="content">
      <ConnectionLost />
      <Loading of={config} quiet />
    </main>
  );
}

export function useConfig(): Config {
  const config = useContext(Context);
  if (!config) throw new Error('useConfig outside of ConfigProvider');
  return config;
}
