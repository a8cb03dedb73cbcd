//! The texts that make the tables of a database, all in one deflated file of the program. Knows no
//! database.
//!
//! A start or an upgrade reads them, no request does. As they are, they would take 25 kB.

use std::sync::OnceLock;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

/// `schema.sql`, `postgres/schema.sql` and `postgres/schema/expected.txt`, deflated;
/// `tools/schemas` generates it. [`END`] stands behind each.
const FILES: &[u8] = include_bytes!("schemas.deflate");
/// The most bytes that it inflates to.
const MAX_FILES: usize = 128 * 1024;
/// No file may contain it.
const END: char = '\u{c}';

/// What makes the tables in an SQLite file.
pub(super) fn sqlite() -> &'static str {
    file(0)
}

/// What makes the tables in PostgreSQL.
#[cfg(any(test, feature = "postgres"))]
pub(super) fn postgres() -> &'static str {
    file(1)
}

/// What the catalog of PostgreSQL then says of them.
#[cfg(any(test, feature = "postgres"))]
pub(super) fn postgres_catalog() -> &'static str {
    file(2)
}

fn file(number: usize) -> &'static str {
    static INFLATED: OnceLock<String> = OnceLock::new();
    let text = INFLATED.get_or_init(|| {
        // A test inflates it: this cannot fail.
        let bytes = decompress_to_vec_with_limit(FILES, MAX_FILES).unwrap_or_default();
        String::from_utf8(bytes).unwrap_or_default()
    });
    text.split(END).nth(number).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deflated_texts_are_those_of_the_files() {
        for (deflated, text) in [
            (sqlite(), include_str!("../../schema.sql")),
            (postgres(), include_str!("postgres/schema.sql")),
            (postgres_catalog(), include_str!("postgres/schema/expected.txt")),
        ] {
            assert!(deflated == text, "run tools/schemas after a change of a schema");
        }
    }
}
