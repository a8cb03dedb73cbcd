//! The statements about one table, made from the list of its columns. They are the same for both
//! databases, except for the one that looks for texts with a NUL.

use std::sync::LazyLock;

use super::tables::{Kind, TABLES, Table};

/// Rows of a page.
pub(super) const PAGE: usize = 1_000;

/// A table, and the statements about it.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) table: &'static Table,
    /// Answers a row if the table has one.
    pub(super) any: String,
    pub(super) count: String,
    /// The first page, in the order of the key.
    pub(super) first: String,
    /// The page after the key `$1`, `$2`, ….
    pub(super) after: String,
    /// Adds a row, its columns in the order of the list.
    pub(super) insert: String,
    /// The key of a row in which a text has a NUL. Only for SQLite: PostgreSQL keeps no NUL.
    pub(super) with_nul: Option<String>,
}

/// The statements of every table, in the order of [`TABLES`].
pub(super) fn all() -> &'static [Statements] {
    static ALL: LazyLock<Vec<Statements>> =
        LazyLock::new(|| TABLES.iter().map(Statements::new).collect());
    &ALL
}

impl Statements {
    fn new(table: &'static Table) -> Statements {
        let names: Vec<String> =
            table.columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let (name, columns) = (table.name, names.join(", "));
        let key = names[..table.key].join(", ");
        let select = format!("SELECT {columns} FROM {name}");
        let parameters = parameters(table.key);
        let texts = table.columns.iter().zip(&names).filter(|((_, kind), _)| *kind == Kind::Text);
        let nuls: Vec<String> =
            texts.map(|(_, name)| format!("instr(CAST({name} AS BLOB), x'00') > 0")).collect();
        Statements {
            table,
            any: format!("SELECT 1 FROM {name} LIMIT 1"),
            count: format!("SELECT count(*) FROM {name}"),
            first: format!("{select} ORDER BY {key} LIMIT {PAGE}"),
            after: format!("{select} WHERE ({key}) > ({parameters}) ORDER BY {key} LIMIT {PAGE}"),
            insert: format!(
                "INSERT INTO {name} ({columns}) VALUES ({})",
                self::parameters(names.len())
            ),
            with_nul: (!nuls.is_empty())
                .then(|| format!("SELECT {key} FROM {name} WHERE {} LIMIT 1", nuls.join(" OR "))),
        }
    }
}

/// `$1, $2, …`
fn parameters(count: usize) -> String {
    let numbers: Vec<String> = (1..=count).map(|number| format!("${number}")).collect();
    numbers.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_statements_of_a_table_with_a_key_of_two_columns() {
        let codes = all().iter().find(|one| one.table.name == "recovery_codes").unwrap();
        assert_eq!(
            codes.after,
            "SELECT \"user\", \"hash\" FROM recovery_codes WHERE (\"user\", \"hash\") > ($1, $2) \
             ORDER BY \"user\", \"hash\" LIMIT 1000"
        );
        assert_eq!(codes.insert, "INSERT INTO recovery_codes (\"user\", \"hash\") VALUES ($1, $2)");
        assert_eq!(codes.with_nul, None);
    }
}
