// Owns the root of the app.

import './ui/keep-focus';
import { StrictMode, type ComponentProps } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { ConfigProvider } from './config';
import { LanguageProvider } from './i18n';
import { MeProvider } from './me';

export function start(first: ComponentProps<typeof LanguageProvider>['first']) {
  const root = document.getElementById('root');
  if (!root) throw new Error('index.html has no #root');
  createRoot(root).render(
    <StrictMode>
      <LanguageProvider first={first}>
        <ConfigProvider>
          <MeProvider>
            <App />
          </MeProvider>
        </ConfigProvider>
      </LanguageProvider>
    </StrictMode>,
  );
}
