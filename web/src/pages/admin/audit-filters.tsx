// Owns the filters of the audit: user, event, failed logins, IP address, and the time from and to.

import { useLanguage } from '../../i18n';
import { ChoiceFilter, Filters, TextFilter, TickFilter } from './filters';

const EVENT = 'event.';

export function AuditFilters() {
  const { t, keys, language } = useLanguage();
  const choices = keys(EVENT)
    .map((key): [Record<string, string>, string] => [{ event: key.slice(EVENT.length) }, t(key)])
    .sort(([, one], [, other]) => one.localeCompare(other, language));
  return (
    <Filters names={['user', 'name', 'event', 'failed', 'address', 'since', 'until']}>
      <TextFilter name="name" clears="user" label={t('field.username')} maxLength={64} />
      <ChoiceFilter label={t('audit.event')} choices={[[{ event: '' }, t('filter.all')], ...choices]} />
      <TextFilter name="address" label={t('audit.address')} maxLength={45} />
      <TimeFilter name="since" label={t('audit.since')} within={0} />
      <TimeFilter name="until" label={t('audit.until')} within={59} />
      <TickFilter name="failed" label={t('audit.failed')} />
    </Filters>
  );
}

// `within` is the second of the minute.
function TimeFilter({ within, ...rest }: { name: string; label: string; within: number }) {
  return <TextFilter {...rest} type="datetime-local" className="long" shown={toLocal} meant={typed => toSeconds(typed, within)} />;
}

// Seconds since 1970 as the field has them: a minute of the local time.
function toLocal(seconds: string): string {
  const time = new Date(Number(seconds) * 1000);
  if (!seconds || Number.isNaN(time.getTime())) return '';
  return new Date(time.getTime() - time.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

function toSeconds(typed: string, within: number): string {
  const time = new Date(typed).getTime();
  return time >= 0 ? String(time / 1000 + within) : '';
}
