//! Which column of a source gives which field: a preset, changed by `--map`, against the columns
//! that the source has.

use super::preset::{Columns, Field, Preset};
use super::quoted::{for_shell, is_shown, name as shown};
use crate::error::Problem;
use crate::store::source::{Cell, Table};

/// Columns and tables that a message lists.
const LISTED: usize = 20;

/// A change of a preset: the column that gives a field, or none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The field.
    pub field: Field,
    /// Its column; `None` if the field is not to be read.
    pub column: Option<String>,
}

impl Change {
    /// Reads `FIELD=COLUMN`, or `FIELD=` for a field that is not to be read.
    pub fn parse(text: &str) -> Result<Change, String> {
        let (name, column) = text.split_once('=').ok_or("write it like username=login")?;
        let field = Field::named(name.trim()).ok_or_else(|| {
            let names: Vec<_> = Field::ALL.map(Field::name).to_vec();
            format!("there is no such field; the fields are {}", names.join(", "))
        })?;
        let column = Some(column).filter(|column| !column.is_empty()).map(str::to_owned);
        match (field, &column) {
            (Field::Username, None) => Err("an account needs a username".into()),
            _ => Ok(Change { field, column }),
        }
    }
}

/// Which column gives which field, by its place among those that are read.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mapping {
    /// The columns that are read.
    pub(super) columns: Vec<String>,
    id: Vec<usize>,
    username: Vec<usize>,
    password: Vec<usize>,
    roles: Vec<usize>,
    flags: Vec<(usize, &'static str)>,
    active: Vec<usize>,
    /// A row without a value for [`Field::Active`] is active: it may have no such key.
    active_without: bool,
    unset: Option<usize>,
    until: Option<usize>,
    email: Vec<usize>,
    created: Vec<usize>,
    confirmed: Vec<usize>,
    /// The same for [`Field::Confirmed`]: without a value, nothing is known.
    confirmed_without: bool,
}

/// The fields of one row. A field without a column is `None`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) id: Option<Cell<'a>>,
    pub(super) username: Option<Cell<'a>>,
    pub(super) password: Option<Cell<'a>>,
    pub(super) roles: Option<Cell<'a>>,
    /// Columns that are true or false, and the role that each gives.
    pub(super) flags: Vec<(Cell<'a>, &'static str)>,
    pub(super) active: Option<Cell<'a>>,
    /// A user with a value here is inactive.
    pub(super) unset: Option<Cell<'a>>,
    /// A user with a time here that is not past is inactive.
    pub(super) until: Option<Cell<'a>>,
    pub(super) email: Option<Cell<'a>>,
    pub(super) created: Option<Cell<'a>>,
    /// Whether the e-mail address was confirmed, or when.
    pub(super) confirmed: Option<Cell<'a>>,
}

impl Mapping {
    /// Maps the columns of a source.
    pub(super) fn new(
        preset: &Preset,
        changes: &[Change],
        has: &Available<'_>,
    ) -> Result<Mapping, Problem> {
        let mut find = Finder { has, preset, changes, read: Vec::new(), missing: Vec::new() };
        let mut mapping = Mapping {
            id: find.field(Field::Id)?,
            username: find.field(Field::Username)?,
            password: find.field(Field::Password)?,
            roles: find.field(Field::Roles)?,
            active: find.field(Field::Active)?,
            email: find.field(Field::Email)?,
            created: find.field(Field::Created)?,
            confirmed: find.field(Field::Confirmed)?,
            flags: find.flags(),
            unset: find.condition(preset.unset),
            until: find.condition(preset.until),
            ..Mapping::default()
        };
        if !find.missing.is_empty() {
            return Err(columns_missing(preset, &find.missing, has));
        }
        mapping.columns = find.read;
        let without = |places: &[usize]| !places.iter().any(|at| has.has(&mapping.columns[*at]));
        (mapping.active_without, mapping.confirmed_without) =
            (without(&mapping.active), without(&mapping.confirmed));
        Ok(mapping)
    }

    /// The columns of a source that are not read, as far as they are listed.
    pub(super) fn unread(&self, has: &[String]) -> Option<String> {
        let unread = has.iter().filter(|name| !name.is_empty() && !self.columns.contains(name));
        let unread: Vec<&str> = unread.map(String::as_str).collect();
        (!unread.is_empty()).then(|| listed(&unread))
    }

    /// The column of the ids, if there is one.
    pub(super) fn id_column(&self) -> Option<&str> {
        self.id.first().map(|place| self.columns[*place].as_str())
    }

    /// The fields of a row, whose cells are those of the columns that are read.
    pub(super) fn fields<'a>(&self, cells: &[Cell<'a>]) -> Fields<'a> {
        let cell = |place: usize| cells.get(place).copied().unwrap_or(Cell::Null);
        let first = |places: &[usize]| {
            let is_empty = |cell: &Cell<'_>| matches!(cell, Cell::Null | Cell::Text(""));
            let cells = || places.iter().map(|place| cell(*place));
            cells().find(|cell| !is_empty(cell)).or_else(|| cells().next())
        };
        let known = |places: &[usize], without: bool| {
            first(places).filter(|cell| !(without && *cell == Cell::Null))
        };
        Fields {
            id: first(&self.id),
            username: first(&self.username),
            password: first(&self.password),
            roles: first(&self.roles),
            flags: self.flags.iter().map(|(place, role)| (cell(*place), *role)).collect(),
            active: known(&self.active, self.active_without),
            unset: self.unset.map(cell),
            until: self.until.map(cell),
            email: first(&self.email),
            created: first(&self.created),
            confirmed: known(&self.confirmed, self.confirmed_without),
        }
    }
}

/// The columns that a source has.
pub(super) struct Available<'a> {
    /// What has them, for errors: `table users`.
    pub(super) source: &'a str,
    pub(super) columns: &'a [String],
    /// Rows may have others: they are objects, and these are the keys of the first.
    pub(super) open: bool,
}

impl Available<'_> {
    fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column == name)
    }

    fn listed(&self) -> String {
        listed(&self.columns.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

/// Whether the first object need not have a key that `--map` names. A misspelt one must not bring
/// everybody in without a password, or make those active who are not.
fn may_be_left_out(field: Field) -> bool {
    matches!(field, Field::Roles | Field::Email | Field::Created)
}

/// Finds the columns that are read.
struct Finder<'a> {
    has: &'a Available<'a>,
    preset: &'a Preset,
    changes: &'a [Change],
    /// Those that were found.
    read: Vec<String>,
    /// Those that must be there and are not.
    missing: Vec<(Field, &'static str)>,
}

impl Finder<'_> {
    /// The places of the columns that may give a field.
    fn field(&mut self, field: Field) -> Result<Vec<usize>, Problem> {
        let has = self.has;
        // The last of several changes counts, as of other flags.
        match self.changes.iter().rev().find(|change| change.field == field) {
            None => {
                let Columns { names, required } = self.preset.columns(field);
                if required && !names.iter().any(|name| has.has(name)) {
                    self.missing.push((field, names[0]));
                }
                Ok(names.iter().filter_map(|name| self.place(name)).collect())
            }
            Some(Change { column: None, .. }) => Ok(Vec::new()),
            Some(Change { column: Some(column), .. }) => match self.place(column) {
                Some(place) if has.has(column) || may_be_left_out(field) => Ok(vec![place]),
                _ => Err(no_such_column(field, column, has)),
            },
        }
    }

    fn flags(&mut self) -> Vec<(usize, &'static str)> {
        let mut flags = Vec::new();
        let names = if self.is_changed(Field::Roles) { &[] } else { self.preset.flags };
        for (name, role) in names {
            match self.place(name).filter(|_| self.has.has(name)) {
                Some(place) => flags.push((place, *role)),
                None => self.missing.push((Field::Roles, name)),
            }
        }
        flags
    }

    /// The place of a column that makes users inactive.
    fn condition(&mut self, name: Option<&'static str>) -> Option<usize> {
        let name = name.filter(|_| !self.is_changed(Field::Active))?;
        if self.preset.conditions_required && !self.has.has(name) {
            self.missing.push((Field::Active, name));
        }
        self.place(name)
    }

    fn is_changed(&self, field: Field) -> bool {
        self.changes.iter().any(|change| change.field == field)
    }

    /// The place of a column among those that are read; none if the source cannot have it.
    fn place(&mut self, name: &str) -> Option<usize> {
        if !self.has.open && !self.has.has(name) {
            return None;
        }
        let at = self.read.iter().position(|read| read == name);
        Some(at.unwrap_or_else(|| {
            self.read.push(name.to_owned());
            self.read.len() - 1
        }))
    }
}

/// The error about a table that a database does not have.
pub(super) fn no_such_table(wanted: &str, tables: &[Table], database: &str) -> Problem {
    if let Some(preset) = other_preset(tables).filter(|_| wanted == Preset::default().table) {
        let what = format!("{database} has no table {}", shown(wanted));
        return Problem::usage(what, format!("it looks like {}", preset));
    }
    let with_password: Vec<&str> =
        tables.iter().filter(|table| has_password(table)).map(|table| &*table.name).collect();
    let next = match (&with_password[..], tables) {
        ([], []) => {
            "it has no tables that this user may see: check the name of the database".into()
        }
        ([], _) => {
            let names: Vec<&str> = tables.iter().map(|table| &*table.name).collect();
            format!("name the one with the users with --table; it has {}", listed(&names))
        }
        ([one], _) => {
            let name = for_shell(one).unwrap_or_else(|| "TABLE".into());
            format!("if the users are in {}, add --table {name}", shown(one))
        }
        (several, _) => {
            let name = several.iter().find_map(|name| for_shell(name));
            format!(
                "name the one with the users, such as --table {}; these have a password: {}",
                name.as_deref().unwrap_or("TABLE"),
                listed(several)
            )
        }
    };
    Problem::usage(format!("{database} has no table {}", shown(wanted)), next)
}

/// The program whose table is there, and its preset.
fn other_preset(tables: &[Table]) -> Option<&'static str> {
    let has = |name: &str, columns: &[&str]| {
        let is = |table: &&Table| {
            table.name.rsplit('.').next() == Some(name)
                && columns.iter().all(|column| table.columns.iter().any(|it| it == column))
        };
        tables.iter().any(|table| is(&table))
    };
    if has("auth_user", &["username", "password", "is_superuser", "is_staff"]) {
        Some("Django: add --preset django")
    } else if has("user", &["username", "password_hash"]) {
        Some("an app with hashes of Werkzeug: add --preset werkzeug")
    } else {
        None
    }
}

fn has_password(table: &Table) -> bool {
    table.columns.iter().any(|column| looks_like(Field::Password, column))
}

/// Parts of names that columns with this field have in many programs.
fn usual_names(field: Field) -> &'static [&'static str] {
    match field {
        Field::Id => &["id", "uid", "pk"],
        Field::Username => &["username", "login", "user", "nick", "name", "email", "mail"],
        Field::Password => &["password", "passwd", "hash", "pass", "pwd", "pw"],
        Field::Roles => &["role", "group"],
        Field::Active => &["active", "enabled"],
        Field::Email => &["email", "mail"],
        Field::Created => &["created", "joined", "registered"],
        Field::Confirmed => &["confirmed", "verified"],
    }
}

fn looks_like(field: Field, column: &str) -> bool {
    let column = column.to_ascii_lowercase();
    match field {
        Field::Id => usual_names(field).contains(&&*column) || column.ends_with("_id"),
        _ => usual_names(field).iter().any(|name| column.contains(name)),
    }
}

/// The column that most likely has a field.
fn likely(field: Field, columns: &[String]) -> Option<&str> {
    let shown = || columns.iter().filter(|column| is_shown(column));
    let with = |name: &&str| shown().find(|column| column.to_ascii_lowercase().contains(*name));
    match field {
        Field::Id => shown().find(|column| looks_like(field, column)),
        _ => usual_names(field).iter().find_map(with),
    }
    .map(String::as_str)
}

fn columns_missing(preset: &Preset, missing: &[(Field, &str)], has: &Available<'_>) -> Problem {
    let names: Vec<&str> = missing.iter().map(|(_, name)| *name).collect();
    let what = format!(
        "{} has no column {} (preset {}); it has {}",
        has.source,
        names.join(", no "),
        preset.name,
        has.listed()
    );
    let mut maps: Vec<String> = Vec::new();
    for (field, _) in missing {
        let column = likely(*field, has.columns).and_then(for_shell).unwrap_or("COLUMN".into());
        let map = format!("--map {}={column}", field.name());
        if !maps.contains(&map) {
            maps.push(map);
        }
    }
    let without = match missing.iter().find(|(field, _)| *field != Field::Username) {
        Some((field, _)) => format!("; to do without one: --map {}=", field.name()),
        None => String::new(),
    };
    Problem::usage(what, format!("say which columns have these: {}{without}", maps.join(" ")))
}

fn no_such_column(field: Field, column: &str, has: &Available<'_>) -> Problem {
    let all = has.listed();
    let next = match likely(field, has.columns).and_then(for_shell) {
        Some(likely) => format!("it has {all}; perhaps --map {}={likely}", field.name()),
        None => format!("it has {all}"),
    };
    let what = format!("{} has no column {}, as --map names it", has.source, shown(column));
    Problem::usage(what, next)
}

/// Names joined by commas, the first of many.
fn listed(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(LISTED).map(|name| shown(name)).collect();
    match names.len().saturating_sub(LISTED) {
        0 if names.is_empty() => "none".into(),
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn change(text: &str) -> Change {
        Change::parse(text).unwrap()
    }

    /// The columns that are read, or the words of the refusal.
    fn map(preset: &str, changes: &[&str], names: &[&str]) -> Result<Mapping, Problem> {
        let changes: Vec<Change> = changes.iter().map(|text| change(text)).collect();
        let columns = &columns(names);
        let has = Available { source: "table users", columns, open: false };
        Mapping::new(Preset::named(preset).unwrap(), &changes, &has)
    }

    #[test]
    fn later_objects_may_have_other_keys() {
        let map = |changes: &[&str], names: &[&str]| {
            let changes: Vec<Change> = changes.iter().map(|text| change(text)).collect();
            let columns = &columns(names);
            let has = Available { source: "the first row", columns, open: true };
            Mapping::new(Preset::default(), &changes, &has)
        };
        let mapping = map(&["email=mail"], &["id", "username", "password"]).unwrap();
        let read = [
            "id",
            "username",
            "password",
            "hashed_password",
            "roles",
            "is_active",
            "active",
            "mail",
        ];
        assert_eq!(mapping.columns[..8], read);
        let active = |mapping: &Mapping, cell| {
            let at = mapping.columns.iter().position(|column| column == "is_active").unwrap();
            let mut cells = vec![Cell::Null; mapping.columns.len()];
            cells[at] = cell;
            mapping.fields(&cells).active
        };
        assert_eq!(active(&mapping, Cell::Null), None);
        assert_eq!(active(&mapping, Cell::Text("false")), Some(Cell::Text("false")));
        let mapping = map(&[], &["id", "username", "password", "is_active"]).unwrap();
        assert_eq!(active(&mapping, Cell::Null), Some(Cell::Null));
        for wrong in ["id=x", "username=x", "password=x", "active=x"] {
            assert!(map(&[wrong], &["id", "username", "password"]).is_err(), "{wrong}");
        }
        let refused = map(&[], &["id", "username"]).unwrap_err();
        assert!(refused.what.starts_with("the first row has no column password"), "{refused}");
    }

    #[test]
    fn presets_find_their_columns() {
        for (preset, changes, has, read) in [
            (
                "flask-praetorian",
                &[][..],
                &["id", "username", "password", "x"][..],
                &["id", "username", "password"][..],
            ),
            (
                "flask-praetorian",
                &[],
                &["email", "is_active", "roles", "password", "username", "id"],
                &["id", "username", "password", "roles", "is_active", "email"],
            ),
            (
                "flask-praetorian",
                &["username=login", "id=", "roles="],
                &["id", "login", "password", "roles"],
                &["login", "password"],
            ),
            (
                "flask-praetorian",
                &["password=a", "password=b"],
                &["id", "username", "b"],
                &["id", "username", "b"],
            ),
            (
                "django",
                &[],
                &["id", "password", "is_superuser", "username", "is_staff", "is_active"],
                &["id", "username", "password", "is_active", "is_superuser", "is_staff"],
            ),
            (
                "django",
                &["roles=groups", "active="],
                &["id", "password", "username", "groups"],
                &["id", "username", "password", "groups"],
            ),
            (
                "pocketbase",
                &[],
                &["id", "email", "password", "created"],
                &["email", "password", "created"],
            ),
            (
                "pocketbase",
                &[],
                &["username", "email", "passwordHash", "created"],
                &["username", "email", "passwordHash", "created"],
            ),
            (
                "supabase",
                &[],
                &["id", "email", "encrypted_password", "created_at", "banned_until", "deleted_at"],
                &["email", "encrypted_password", "created_at", "deleted_at", "banned_until"],
            ),
            (
                "supabase",
                &["active=ok"],
                &["email", "encrypted_password", "created_at", "deleted_at", "ok"],
                &["email", "encrypted_password", "ok", "created_at"],
            ),
            (
                "supabase",
                &["active=", "confirmed="],
                &["email", "encrypted_password", "created_at", "email_confirmed_at"],
                &["email", "encrypted_password", "created_at"],
            ),
            (
                "laravel",
                &[],
                &["id", "email", "email_verified_at", "password"],
                &["id", "email", "password", "email_verified_at"],
            ),
            (
                "laravel",
                &[],
                &["id", "email", "password", "deleted_at"],
                &["id", "email", "password", "deleted_at"],
            ),
        ] {
            assert_eq!(map(preset, changes, has).unwrap().columns, read, "{preset} {changes:?}");
        }
    }

    #[test]
    fn what_is_missing_is_said_with_the_line_to_type() {
        for (preset, changes, has, what, next) in [
            (
                "flask-praetorian",
                &[][..],
                &["uid", "login", "pw_hash"][..],
                "table users has no column id, no username, no password (preset flask-praetorian); \
                 it has uid, login, pw_hash",
                "say which columns have these: --map id=uid --map username=login --map \
                 password=pw_hash; to do without one: --map id=",
            ),
            (
                "werkzeug",
                &[],
                &["id", "username", "the 'pass'"],
                "no column password_hash (preset werkzeug); it has id, username, \"the 'pass'\"",
                r"--map password='the '\''pass'\'''; to do without one: --map password=",
            ),
            (
                "django",
                &[],
                &["id", "username", "password", "is_active"],
                "no column is_superuser, no is_staff",
                "these: --map roles=COLUMN; to do without one: --map roles=",
            ),
            (
                "supabase",
                &[],
                &["email", "encrypted_password", "created_at", "deleted_at"],
                "no column banned_until",
                "these: --map active=COLUMN; to do without one: --map active=",
            ),
            (
                "werkzeug",
                &[],
                &["id", "username", "my\u{1b}[2Jpass"],
                r#"it has id, username, "my\u{1b}[2Jpass""#,
                "--map password=COLUMN; to do without one: --map password=",
            ),
            (
                "flask-praetorian",
                &["username=Login"],
                &["id", "login", "password"],
                "table users has no column Login, as --map names it",
                "it has id, login, password; perhaps --map username=login",
            ),
            ("laravel", &["username=x"], &[], "no column x", "it has none"),
        ] {
            let refused = map(preset, changes, has).unwrap_err();
            assert!(refused.usage && refused.what.contains(what), "{refused}");
            assert!(refused.next.ends_with(next), "{refused}");
        }
        let many: Vec<String> = (0..1_000).map(|n| format!("c{n}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let refused = map("werkzeug", &[], &many).unwrap_err();
        assert!(refused.what.ends_with("c18, c19 and 980 more"), "{refused}");
    }

    #[test]
    fn a_change_names_a_field() {
        for (text, field, column) in [
            ("id=uid", Field::Id, Some("uid")),
            ("email=", Field::Email, None),
            ("password=a=b", Field::Password, Some("a=b")),
            (" roles =a b", Field::Roles, Some("a b")),
        ] {
            assert_eq!(change(text), Change { field, column: column.map(str::to_owned) });
        }
        for (text, why) in [
            ("id", "like username=login"),
            (
                "user=x",
                "the fields are id, username, password, roles, active, email, created, confirmed",
            ),
            ("=x", "no such field"),
            ("username=", "needs a username"),
        ] {
            assert!(Change::parse(text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn the_first_column_that_is_not_empty_gives_a_field() {
        let mapping =
            map("pocketbase", &[], &["username", "email", "password", "created"]).unwrap();
        let [null, empty, ada, mail] =
            [Cell::Null, Cell::Text(""), Cell::Text("ada"), Cell::Text("ada@example.org")];
        for (username, email, expected) in
            [(ada, mail, ada), (empty, mail, mail), (null, mail, mail), (empty, null, empty)]
        {
            let fields = mapping.fields(&[username, email, null, null]);
            assert_eq!((fields.username, fields.email), (Some(expected), Some(email)));
            assert_eq!((fields.id, fields.password), (None, Some(Cell::Null)));
        }
        assert_eq!(mapping.id_column(), None);
    }

    #[test]
    fn a_column_with_the_name_of_a_field_gives_it() {
        let has = ["id", "username", "password", "active", "created", "phone", "", "address"];
        for preset in ["flask-praetorian", "werkzeug"] {
            let mapping = map(preset, &[], &has).unwrap();
            assert_eq!(mapping.columns, ["id", "username", "password", "active", "created"]);
            let no = mapping.fields(&["1", "a", "x", "false", ""].map(Cell::Text));
            assert_eq!(no.active, Some(Cell::Text("false")), "{preset}");
            assert_eq!(mapping.fields(&[Cell::Null; 5]).active, Some(Cell::Null), "{preset}");
            assert_eq!(mapping.unread(&columns(&has)).unwrap(), "phone, address");
        }
        let mapping = map("laravel", &["created=x"], &["id", "email", "password", "x"]).unwrap();
        assert_eq!(mapping.unread(&mapping.columns), None);
        let many: Vec<String> = (0..100).map(|n| format!("c{n}")).collect();
        assert!(mapping.unread(&many).unwrap().ends_with("c19 and 80 more"));
    }

    #[test]
    fn a_table_of_another_program_is_recognized() {
        let table =
            |name: &str, names: &[&str]| Table { name: name.into(), columns: columns(names) };
        let django =
            table("public.auth_user", &["id", "username", "password", "is_superuser", "is_staff"]);
        let werkzeug = table("user", &["id", "username", "password_hash"]);
        for (tables, next) in [
            (&[django.clone()][..], "it looks like Django: add --preset django"),
            (&[werkzeug], "it looks like an app with hashes of Werkzeug: add --preset werkzeug"),
        ] {
            assert_eq!(no_such_table("users", tables, "app.db").next, next);
        }
        assert!(!no_such_table("people", &[django], "app.db").next.contains("Django"));
    }

    #[test]
    fn a_table_that_is_not_there_is_looked_for() {
        let table =
            |name: &str, names: &[&str]| Table { name: name.into(), columns: columns(names) };
        let posts = || table("posts", &["id", "text"]);
        let people = || table("people", &["id", "PassWord"]);
        let staff = || table("my staff", &["pw"]);
        let odd = || table("\u{1b}[2J", &["pw"]);
        for (tables, next) in [
            (vec![], "it has no tables that this user may see: check the name of the database"),
            (vec![posts()], "name the one with the users with --table; it has posts"),
            (vec![posts(), people()], "if the users are in people, add --table people"),
            (vec![odd()], r#"if the users are in "\u{1b}[2J", add --table TABLE"#),
            (
                vec![odd(), people()],
                r#"name the one with the users, such as --table people; these have a password: "\u{1b}[2J", people"#,
            ),
            (
                vec![staff(), people()],
                "name the one with the users, such as --table 'my staff'; these have a password: \
                 \"my staff\", people",
            ),
        ] {
            let refused = no_such_table("users", &tables, "app.db");
            let lines = (refused.what.as_str(), refused.next.as_str());
            assert_eq!(lines, ("app.db has no table users", next));
        }
    }
}
