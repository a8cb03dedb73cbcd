// Owns saving the audit, as it is filtered, to a file: all pages of the server, one after the other.

import { useEffect, useRef, useState } from 'react';
import { adminApi } from '../../api/endpoints';
import type { AuditEntry } from '../../api/types';
import { download } from '../../download';
import { useLanguage } from '../../i18n';
import { useAddress } from '../../router';
import { useTask } from '../../task';
import { Button } from '../../ui/button';
import { ProblemNotice } from '../../ui/notice';
import { csvOf } from './csv';

// Entries of one request; the most that the server sends.
const PAGE = 1000;

const FORMATS = {
  csv: { type: 'text/csv', text: (entries: AuditEntry[]) => csvOf(entries) },
  jsonl: { type: 'application/jsonl', text: (entries: AuditEntry[]) => entries.map(each => `${JSON.stringify(each)}\n`).join('') },
};
type Format = keyof typeof FORMATS;

export function AuditExport() {
  const { t, count } = useLanguage();
  const { query } = useAddress();
  const task = useTask();
  const [saved, setSaved] = useState<number | null>(null);
  const [read, setRead] = useState(0);
  const stopped = useRef(false);

  // Nobody waits for the file of a page that was left.
  useEffect(() => () => void (stopped.current = true), []);

  const save = (format: Format) => task.run(async () => {
    stopped.current = false;
    setSaved(null);
    setRead(0);
    const entries = await readAll(query, n => {
      setRead(n);
      return !stopped.current;
    });
    if (!entries) return;
    download(`audit-${new Date().toISOString().slice(0, 10)}.${format}`, FORMATS[format].type, FORMATS[format].text(entries));
    setSaved(entries.length);
  });

  return (
    <div className="export">
      <div className="buttons">
        <Button task={task} onClick={() => void save('csv')}>{t('audit.csv')}</Button>
        <Button task={task} onClick={() => void save('jsonl')}>{t('audit.jsonl')}</Button>
        {task.busy && <Button onClick={() => (stopped.current = true)}>{t('audit.stop')}</Button>}
      </div>
      {task.problem && <ProblemNotice problem={task.problem} />}
      <p className="hint" role="status">
        {task.busy && count('audit.read', read)}
        {!task.busy && !task.problem && saved !== null && count('audit.saved', saved)}
      </p>
    </div>
  );
}

// Undefined if `onPage`, which gets the number so far, says to stop.
async function readAll(filters: URLSearchParams, onPage: (read: number) => boolean): Promise<AuditEntry[] | undefined> {
  const query = new URLSearchParams(filters);
  query.delete('before');
  const all: AuditEntry[] = [];
  for (;;) {
    const { entries, next } = await adminApi.audit(query, PAGE);
    all.push(...entries);
    if (!onPage(all.length)) return undefined;
    if (next === null) return all;
    query.set('before', String(next));
  }
}
