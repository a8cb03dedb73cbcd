//! Whether the tables are as they should be, by what the catalog says of them: a line for each
//! column, constraint, index and sequence. What an administrator adds beside it, such as another
//! index, does not matter, unless it could change what the statements do or lose what they write.

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

/// What must not be: the relation, or nothing for the whole schema, and what is wrong with it. The
/// statements name no schema, so a function or an operator in ours could be run in the place of one
/// of PostgreSQL.
const INTRUSIONS: &str = "
    WITH ours AS (SELECT c.oid, c.relname::text AS name, c.relowner, c.relkind, c.relpersistence,
            c.relrowsecurity, n.nspowner
        FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = 'lictor' AND c.relkind IN ('r', 'S', 'i'))
    SELECT name, what FROM (
    SELECT name, name || ' belongs to ' || pg_catalog.pg_get_userbyid(relowner)::text
        || ', and the schema to ' || pg_catalog.pg_get_userbyid(nspowner)::text
    FROM ours WHERE relowner <> nspowner
    UNION ALL
    SELECT name, name || ' is UNLOGGED: a crash of the server would empty it'
    FROM ours WHERE relpersistence <> 'p'
    UNION ALL
    SELECT name, name || ' has row security, which hides rows'
    FROM ours WHERE relrowsecurity
    UNION ALL
    SELECT name, name || CASE WHEN t.tgisinternal THEN ' has foreign keys that are switched off'
        ELSE ' has the trigger ' || t.tgname::text END
    FROM ours JOIN pg_catalog.pg_trigger t ON t.tgrelid = ours.oid
    WHERE NOT t.tgisinternal OR t.tgenabled IN ('D', 'R')
    UNION ALL
    SELECT name, name || ' has the rule ' || r.rulename::text
    FROM ours JOIN pg_catalog.pg_rewrite r ON r.ev_class = ours.oid
    UNION ALL
    SELECT '', 'the schema has the function ' || p.proname::text
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = 'lictor'
    UNION ALL
    SELECT '', 'the schema has the operator ' || o.oprname::text
    FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace
    WHERE n.nspname = 'lictor'
    ) AS found (name, what) ORDER BY name COLLATE \"C\", what";

/// The first thing that must not be on the relations that the `expected` lines name, or in the
/// schema.
pub(super) fn intrusion(
    session: &mut Session<'_>,
    expected: &str,
) -> Result<Option<String>, Problem> {
    let found = session.all(INTRUSIONS, |row| Ok((row.get(0)?, row.get(1)?)))?;
    let is_ours = |name: &str| {
        name.is_empty()
            || expected.lines().any(|line| {
                let mut words = line.split(' ');
                matches!(words.next(), Some("table" | "sequence" | "index"))
                    && words.next() == Some(name)
            })
    };
    let mut ours = found.into_iter().filter(|(name, _): &(String, String)| is_ours(name));
    Ok(ours.next().map(|(_, what)| what))
}
