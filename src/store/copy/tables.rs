//! The tables that both databases have: their columns, in the order of the schema, and their keys.
//! Tests compare this list with the real columns of both.

/// A table of accounts. What only one database has beside these, it has for itself.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many of the columns, from the first on, are the key.
    pub(super) key: usize,
    pub(super) columns: &'static [(&'static str, Kind)],
}

/// What a column holds, or NULL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Integer,
    /// True or false, never NULL; SQLite keeps 1 and 0.
    Boolean,
    Text,
    Bytes,
}

use Kind::{Boolean, Bytes, Integer, Text};

/// Every table, after those that its rows refer to.
pub(super) const TABLES: [Table; 10] = [
    Table {
        name: "users",
        key: 1,
        columns: &[
            ("id", Integer),
            ("name", Text),
            ("name_key", Text),
            ("email", Text),
            ("email_key", Text),
            ("password", Text),
            ("roles", Text),
            ("active", Boolean),
            ("created", Integer),
            ("tokens_after", Integer),
            ("unlocked", Integer),
            ("failures", Integer),
            ("language", Text),
            ("unconfirmed", Integer),
            ("last_login", Integer),
            ("last_login_address", Text),
        ],
    },
    Table {
        name: "former_names",
        key: 1,
        columns: &[("name", Text), ("user", Integer), ("told", Integer)],
    },
    Table {
        name: "sessions",
        key: 1,
        columns: &[
            ("jti", Text),
            ("user", Integer),
            ("created", Integer),
            ("newest", Integer),
            ("previous", Integer),
            ("expires", Integer),
            ("ended", Integer),
            ("address", Text),
            ("agent", Text),
            ("refreshed_address", Text),
            ("refreshed_agent", Text),
            ("seen", Integer),
        ],
    },
    Table {
        name: "app_passwords",
        key: 1,
        columns: &[
            ("id", Text),
            ("hash", Bytes),
            ("user", Integer),
            ("name", Text),
            ("hosts", Text),
            ("api", Boolean),
            ("created", Integer),
            ("expires", Integer),
            ("used", Integer),
            ("used_address", Text),
        ],
    },
    Table {
        name: "tickets",
        key: 1,
        columns: &[
            ("jti", Text),
            ("user", Integer),
            ("purpose", Text),
            ("expires", Integer),
            ("email", Text),
            ("creator", Integer),
        ],
    },
    Table {
        name: "outbox",
        key: 1,
        columns: &[
            ("id", Integer),
            ("message", Text),
            ("kind", Text),
            ("user", Integer),
            ("email", Text),
            ("created", Integer),
            ("jti", Text),
            ("expires", Integer),
            ("detail", Text),
            ("attempts", Integer),
            ("due", Integer),
            ("failure", Text),
        ],
    },
    Table {
        name: "invitations",
        key: 1,
        columns: &[
            ("id", Text),
            ("hash", Bytes),
            ("roles", Text),
            ("created", Integer),
            ("expires", Integer),
            ("creator", Integer),
        ],
    },
    Table {
        name: "second_factors",
        key: 1,
        columns: &[
            ("user", Integer),
            ("secret", Bytes),
            ("created", Integer),
            ("confirmed", Integer),
            ("last_step", Integer),
        ],
    },
    Table { name: "recovery_codes", key: 2, columns: &[("user", Integer), ("hash", Bytes)] },
    Table {
        name: "audit",
        key: 1,
        columns: &[
            ("id", Integer),
            ("at", Integer),
            ("event", Text),
            ("user", Integer),
            ("name", Text),
            ("actor", Integer),
            ("address", Text),
            ("detail", Text),
            ("failed", Boolean),
            ("number", Integer),
        ],
    },
];
