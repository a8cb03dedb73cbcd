// Owns the configuration of the server (GET /api/config); pages show only what the server offers.
// index.html preloads it, so it is mostly there before the app is.

import { createContext, useContext, type ReactNode } from 'react';
import { api } from './api/endpoints';
import type { Config } from './api/types';
import { useLoad, type Loaded } from './load';

const Context = createContext<Loaded<Config> | null>(null);

export function ConfigProvider({ children }: { children: ReactNode }) {
  return <Context value={useLoad(api.config, 'config')}>{children}</Context>;
}

// For the frame, which is drawn before the configuration is there.
export function useConfigLoad(): Loaded<Config> {
  const config = useContext(Context);
  if (!config) throw new Error('useConfigLoad outside of ConfigProvider');
  return config;
}

// For pages, which are drawn after it.
export function useConfig(): Config {
  const { data } = useConfigLoad();
  if (!data) throw new Error('useConfig before the configuration is loaded');
  return data;
}
