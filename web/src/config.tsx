// Owns what the server offers (GET /api/config), so that nothing else is shown.

import { createContext, useContext, type ReactNode } from 'react';
import { api } from './api/endpoints';
import type { Config } from './api/types';
import { useLoad } from './load';
import { Loading } from './ui/loading';

const Context = createContext<Config | null>(null);

export function ConfigProvider({ children }: { children: ReactNode }) {
  const config = useLoad(api.config, 'config');
  if (!config.data) return <main className="content"><Loading of={config} /></main>;
  return <Context value={config.data}>{children}</Context>;
}

export function useConfig(): Config {
  const config = useContext(Context);
  if (!config) throw new Error('useConfig outside of ConfigProvider');
  return config;
}
