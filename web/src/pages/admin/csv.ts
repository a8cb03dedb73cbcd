// Owns the audit as a file for spreadsheets (RFC 4180): UTF-8 with a byte order mark, by which they know the
// encoding, and no cell that they would run as a formula.

import type { AuditEntry } from '../../api/types';

const COLUMNS = ['time', 'event', 'user', 'name', 'actor', 'actor_name', 'address', 'detail'] as const;

export function csvOf(entries: AuditEntry[]): string {
  const rows = entries.map(entry => COLUMNS.map(column => (column === 'time' ? isoTime(entry.at) : entry[column])));
  return `\ufeff${[COLUMNS, ...rows].map(row => `${row.map(cell).join(',')}\r\n`).join('')}`;
}

function isoTime(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

// A text that begins like a formula gets an apostrophe before it, which spreadsheets take as "this is text".
function cell(value: string | number | null): string {
  const text = String(value ?? '');
  const harmless = typeof value === 'string' && /^\s*[=+\-@\uff1d\uff0b\uff0d\uff20\t\r\n]/.test(text) ? `'${text}` : text;
  return `"${harmless.replaceAll('"', '""')}"`;
}
