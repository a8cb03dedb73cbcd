//! What a file is, by its first bytes, its ending, and what the operator said.

use std::path::Path;

use super::Format;
use crate::error::Problem;

/// Bytes that are looked at.
pub(super) const HEAD: usize = 4096;
/// The beginning of an SQLite file.
const SQLITE: &[u8] = b"SQLite format 3\0";
/// The byte order mark of UTF-8.
pub(super) const MARK: &[u8] = b"\xef\xbb\xbf";

/// Files of other kinds: how they begin, what they are, and what to do with them.
const OTHERS: &[(&[u8], &str, &str)] = &[
    (b"\x1f\x8b", "compressed with gzip", "uncompress it: gunzip -c FILE | lictor import -"),
    (b"BZh", "compressed with bzip2", "uncompress it: bunzip2 -c FILE | lictor import -"),
    (b"\xfd7zXZ\0", "compressed with xz", "uncompress it: xz -dc FILE | lictor import -"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "uncompress it: zstd -dc FILE | lictor import -"),
    (
        b"PK\x03\x04",
        "a ZIP archive or a workbook (.xlsx, .ods)",
        "unpack it; save a workbook as CSV in UTF-8",
    ),
    (b"\xff\xfe", "text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE | lictor import -"),
    (b"\xfe\xff", "text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE | lictor import -"),
    (
        b"PGDMP",
        "a dump of pg_dump",
        "restore it into a PostgreSQL database, and give its URL: pg_restore -d DATABASE FILE",
    ),
    (
        b"--",
        "a script of SQL",
        "run it in a database (psql, sqlite3), and give its URL or its path",
    ),
    (b"%PDF", "a PDF", FORMATS),
    (b"\x7fELF", "a program", FORMATS),
];
const FORMATS: &str = "give the URL of a PostgreSQL database, an SQLite file, CSV or JSON Lines";

/// Says what a file is. `said` is what the operator says; `head` is how the file begins.
pub(super) fn recognize(name: &str, head: &[u8], said: Option<Format>) -> Result<Format, Problem> {
    if head.starts_with(SQLITE) {
        return Ok(Format::Database);
    }
    let refused = |what: &str, next: &str| Problem::usage(format!("{name} is {what}"), next);
    if let Some((_, what, next)) = OTHERS.iter().find(|(begin, ..)| head.starts_with(begin)) {
        return Err(refused(what, next));
    }
    let text = head.strip_prefix(MARK).unwrap_or(head).trim_ascii_start();
    if text.is_empty() && head.len() < HEAD {
        return Err(refused("empty", FORMATS));
    }
    if is_binary(head, text) {
        return Err(refused("a binary file of an unknown kind", FORMATS));
    }
    if is_of_another_encoding(head) {
        return Err(refused(
            "not text in UTF-8",
            "if it is text, convert it: iconv -f LATIN1 -t UTF-8 FILE | lictor import -",
        ));
    }
    let format = said.unwrap_or_else(|| by_name_or_text(name, text));
    match format {
        Format::Database => Err(refused("no SQLite database", FORMATS)),
        _ if text.starts_with(b"[") && (said.is_none() || format == Format::JsonLines) => {
            Err(refused(
                "a JSON array and not JSON Lines",
                "write one object a line: jq -c '.[]' FILE | lictor import -; if it is CSV, say so \
                 with --format csv",
            ))
        }
        format => Ok(format),
    }
}

fn by_name_or_text(name: &str, text: &[u8]) -> Format {
    match ending(name).as_deref() {
        Some("csv") => Format::Csv,
        Some("jsonl" | "ndjson") => Format::JsonLines,
        _ if text.starts_with(b"{") => Format::JsonLines,
        _ => Format::Csv,
    }
}

/// Whether it is no text. A single NUL after the first line is the matter of its row.
fn is_binary(head: &[u8], text: &[u8]) -> bool {
    let is_nul = |byte: &&u8| **byte == 0;
    let first_line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    let early = first_line.iter().take(16).any(|byte| *byte == 0);
    early && !text.starts_with(b"{") || head.iter().filter(is_nul).count() * 8 > head.len()
}

/// Whether the first line is not UTF-8; the head may end within a character.
fn is_of_another_encoding(head: &[u8]) -> bool {
    let first_line = head.split(|&byte| byte == b'\n').next().unwrap_or_default();
    std::str::from_utf8(first_line).is_err_and(|error| error.error_len().is_some())
}

fn ending(name: &str) -> Option<String> {
    Path::new(name).extension()?.to_str().map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_recognized_or_named() {
        for (name, head, said, expected) in [
            ("x.db", &b"SQLite format 3\0\x10\0"[..], None, "Database"),
            ("x.csv", b"SQLite format 3\0\x10\0", Some(Format::Csv), "Database"),
            ("x.csv", b"id,username\n", None, "Csv"),
            ("x.CSV", b"{", None, "Csv"),
            ("x", b"id,username\n", None, "Csv"),
            ("-", b"\xef\xbb\xbf \n{\"a\":1}", None, "JsonLines"),
            ("x.jsonl", b"id", None, "JsonLines"),
            ("x.ndjson", b"", None, "x.ndjson is empty"),
            ("x.csv", b"{}", Some(Format::JsonLines), "JsonLines"),
            ("x.jsonl", b"a,b", Some(Format::Csv), "Csv"),
            ("x.csv", b"\xef\xbb\xbf", None, "x.csv is empty"),
            ("x.csv", b" \r\n", None, "x.csv is empty"),
            ("x.csv", b"\x1f\x8b\x08", Some(Format::Csv), "x.csv is compressed with gzip"),
            ("x", b"PK\x03\x04\x14", None, "x is a ZIP archive or a workbook"),
            ("x.csv", b"\xff\xfei\0d\0", None, "x.csv is text in UTF-16"),
            ("x.csv", b"\xfe\xff\0i", None, "x.csv is text in UTF-16"),
            ("x.csv", b"i\0d\0", None, "x.csv is a binary file"),
            ("x.csv", b"id,username,email\n1,a\0b,\n", None, "Csv"),
            ("x", b"{\"a\":\"\0\"}", None, "JsonLines"),
            ("x", b"{\0\"\0a\0\"\0", None, "x is a binary file"),
            ("x", b"\x89PNG\r\n\x1a\n\0", None, "x is not text in UTF-8"),
            ("x.csv", b"usu\xe1rio,senha\n", None, "x.csv is not text in UTF-8"),
            ("x.csv", b"id,name\n1,\xe1\n", None, "Csv"),
            ("x.csv", b"id,\xc3", None, "Csv"),
            ("x", b"PGDMP\x01", None, "x is a dump of pg_dump"),
            ("x.sql", b"--\n-- PostgreSQL database dump\n", None, "x.sql is a script of SQL"),
            ("x.json", b"[\n{}]", None, "x.json is a JSON array"),
            ("x.jsonl", b"[{}]", None, "x.jsonl is a JSON array"),
            ("x.csv", b"[id],name", Some(Format::Csv), "Csv"),
        ] {
            let found = match recognize(name, head, said) {
                Ok(format) => format!("{format:?}"),
                Err(problem) => problem.what,
            };
            assert!(found.starts_with(expected), "{name} {head:?}: {found:?}");
        }
    }
}
