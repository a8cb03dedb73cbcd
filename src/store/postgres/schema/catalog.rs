//! Whether the tables are as they should be, by what the catalog says of them: a line for each
//! column, constraint, index and sequence. What an administrator adds beside it, such as another
//! index, does not matter.

use std::collections::HashSet;

use super::session::Session;
use crate::error::Problem;

/// The lines of all that is in the schema. Names and types are written alike by all versions of
/// PostgreSQL; conditions are not, so they are left out.
const LINES: &str = "
    SELECT 'column ' || c.relname::text || '.' || a.attname::text || ' '
        || pg_catalog.format_type(a.atttypid, a.atttypmod)
        || coalesce(' collate ' || l.collname::text, '')
        || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
        || CASE WHEN a.attidentity <> '' THEN ' identity'
            WHEN a.atthasdef THEN ' default' ELSE '' END
    FROM pg_catalog.pg_attribute a
        JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_catalog.pg_collation l ON l.oid = a.attcollation
    WHERE n.nspname = 'lictor' AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 'constraint ' || k.conname::text || ' on ' || c.relname::text || ': '
        || CASE k.contype WHEN 'p' THEN 'primary key' WHEN 'u' THEN 'unique'
            WHEN 'c' THEN 'check' ELSE 'foreign key, on delete ' || CASE k.confdeltype
                WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null' ELSE 'nothing' END END
        || CASE WHEN k.convalidated THEN '' ELSE ', not valid' END
    FROM pg_catalog.pg_constraint k
        JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'lictor' AND k.contype IN ('p', 'u', 'c', 'f')
    UNION ALL
    SELECT 'index ' || c.relname::text || ' on ' || t.relname::text || ' ('
        || (SELECT string_agg(a.attname::text, ', ' ORDER BY a.attnum)
            FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid)
        || ')' || CASE WHEN i.indisunique THEN ', unique' ELSE '' END
        || CASE WHEN i.indpred IS NULL THEN '' ELSE ', partial' END
        || CASE WHEN i.indisvalid AND i.indisready THEN '' ELSE ', not valid' END
    FROM pg_catalog.pg_index i
        JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
        JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
        JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
    WHERE n.nspname = 'lictor' AND t.relkind = 'r'
    UNION ALL
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence ' ELSE 'table ' END || c.relname::text
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'lictor' AND c.relkind IN ('r', 'S')";

/// The first of the `expected` lines that the catalog does not have.
pub(in crate::store::postgres) fn missing(
    session: &mut Session<'_>,
    expected: &'static str,
) -> Result<Option<&'static str>, Problem> {
    let found: HashSet<String> = lines(session)?.into_iter().collect();
    Ok(expected.lines().find(|line| !found.contains(*line)))
}

/// What the catalog says of everything in the schema.
pub(super) fn lines(session: &mut Session<'_>) -> Result<Vec<String>, Problem> {
    session.all(LINES, |row| row.get(0))
}
