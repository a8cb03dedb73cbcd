// Owns the facts about a session: device, IP address, times, and whether it is one of the apps too.

import type { Session } from '../api/types';
import { useLanguage } from '../i18n';

// A browser whose user agent has several of these names is the first of them.
const BROWSERS: [RegExp, string][] = [
  [/\bEdgA?\//, 'Edge'],
  [/\bOPR\//, 'Opera'],
  [/\bFirefox\//, 'Firefox'],
  [/\b(Headless)?Chrome\//, 'Chrome'],
  [/\bSafari\//, 'Safari'],
];
const SYSTEMS: [RegExp, string][] = [
  [/\b(iPhone|iPad)\b/, 'iOS'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b/, 'macOS'],
  [/\bLinux\b/, 'Linux'],
];

export function deviceOf(userAgent: string): string {
  const match = (table: [RegExp, string][]) => table.find(([pattern]) => pattern.test(userAgent))?.[1];
  const known = [match(BROWSERS), match(SYSTEMS)].filter(Boolean).join(' · ');
  // Other programs have their name in the first word: curl/8.0.
  return known || (userAgent.split(' ')[0] ?? '');
}

export function currentFirst(sessions: Session[]): Session[] {
  return [...sessions].sort((one, other) => Number(other.current) - Number(one.current));
}

export function SessionFacts({ session }: { session: Session }) {
  const { t, when } = useLanguage();
  const { user_agent, address, created, last_refreshed, browser, seen } = session;
  const last = Math.max(last_refreshed, seen ?? 0);
  const used = last > created ? t('sessions.used', { when: when(last) }) : '';
  return (
    <>
      <div className="row-text">
        <strong title={user_agent}>{deviceOf(user_agent) || t('sessions.unknown')}</strong>
        <span className="muted">{[address, t('sessions.began', { when: when(created) }), used].filter(Boolean).join(' · ')}</span>
      </div>
      {browser && <span className="badge">{t('sessions.apps')}</span>}
    </>
  );
}
