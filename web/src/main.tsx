// Starts the app. Its first import removes the secrets of links from the URL.

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
