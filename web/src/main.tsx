// Starts the app. The secrets of links are taken out of the address first.

import './link-secrets';
import './styles/index.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './app';
import { ConfigProvider } from './config';
import { LanguageProvider } from './i18n';
import { MeProvider } from './me';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <LanguageProvider>
      <ConfigProvider>
        <MeProvider>
          <App />
        </MeProvider>
      </ConfigProvider>
    </LanguageProvider>
  </StrictMode>,
);
