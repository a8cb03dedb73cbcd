//! The tables in PostgreSQL: making them, bringing older ones to the current version.
