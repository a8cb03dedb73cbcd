//! What the tables of other programs are called, and their columns: a table as data.

/// A part of an account that a column gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// The id, which tokens name.
    Id,
    /// The username.
    Username,
    /// The password's hash.
    Password,
    /// The roles.
    Roles,
    /// Whether the user may log in.
    Active,
    /// The e-mail address.
    Email,
    /// When the account was made.
    Created,
    /// Whether the e-mail address was confirmed, or when.
    Confirmed,
}

impl Field {
    /// All of them.
    pub const ALL: [Field; 8] = [
        Field::Id,
        Field::Username,
        Field::Password,
        Field::Roles,
        Field::Active,
        Field::Email,
        Field::Created,
        Field::Confirmed,
    ];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Field::Id => "id",
            Field::Username => "username",
            Field::Password => "password",
            Field::Roles => "roles",
            Field::Active => "active",
            Field::Email => "email",
            Field::Created => "created",
            Field::Confirmed => "confirmed",
        }
    }

    /// The field with this name.
    pub fn named(name: &str) -> Option<Field> {
        Field::ALL.into_iter().find(|field| field.name() == name)
    }
}

/// The columns that may give a field. Of those that the source has, the first that is not empty in
/// a row gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Columns {
    pub(super) names: &'static [&'static str],
    /// The source must have one of them.
    pub(super) required: bool,
}

/// The source has one of these columns.
const fn must(names: &'static [&'static str]) -> Columns {
    Columns { names, required: true }
}

/// The source may have one of these columns.
const fn may(names: &'static [&'static str]) -> Columns {
    Columns { names, required: false }
}

/// No column has it.
const NONE: Columns = may(&[]);

/// How one kind of program keeps its users.
#[derive(Debug, PartialEq, Eq)]
pub struct Preset {
    /// Its name.
    pub name: &'static str,
    pub(super) table: &'static str,
    pub(super) id: Columns,
    pub(super) username: Columns,
    pub(super) password: Columns,
    pub(super) roles: Columns,
    /// Columns that are true or false, and the role that a user has where one is true.
    pub(super) flags: &'static [(&'static str, &'static str)],
    pub(super) active: Columns,
    /// A user with a value in this column is inactive.
    pub(super) unset: Option<&'static str>,
    /// A user with a time in this column that is not past is inactive.
    pub(super) until: Option<&'static str>,
    /// The source must have these two.
    pub(super) conditions_required: bool,
    pub(super) email: Columns,
    pub(super) created: Columns,
    /// A user without a value here, or with false, does not get the e-mail address.
    pub(super) confirmed: Columns,
}

/// The columns of flask-praetorian's tutorial, and what the other presets do not say otherwise.
/// Where a program has another name for a field, the name of the field is the second choice: files
/// that were made by hand have it.
const FLASK_PRAETORIAN: Preset = Preset {
    name: "flask-praetorian",
    table: "users",
    id: must(&["id"]),
    username: must(&["username"]),
    // The second is what flask-praetorian's own mixin for SQLAlchemy demands.
    password: must(&["password", "hashed_password"]),
    roles: may(&["roles"]),
    flags: &[],
    active: may(&["is_active", "active"]),
    unset: None,
    until: None,
    conditions_required: false,
    email: may(&["email"]),
    created: may(&["created_at", "created"]),
    confirmed: NONE,
};

/// All presets, the default first. That of lictor's own export is not here.
pub(super) const PRESETS: &[Preset] = &[
    FLASK_PRAETORIAN,
    Preset {
        name: "django",
        table: "auth_user",
        roles: NONE,
        flags: &[("is_superuser", "admin"), ("is_staff", "staff")],
        active: must(&["is_active", "active"]),
        created: may(&["date_joined", "created"]),
        ..FLASK_PRAETORIAN
    },
    Preset {
        name: "werkzeug",
        table: "user",
        password: must(&["password_hash", "password"]),
        ..FLASK_PRAETORIAN
    },
    Preset {
        name: "pocketbase",
        // Its ids are texts, and no token of lictor's can name one.
        id: NONE,
        username: must(&["username", "email"]),
        password: must(&["passwordHash", "password"]),
        active: may(&["active"]),
        email: must(&["email"]),
        created: must(&["created"]),
        confirmed: may(&["verified"]),
        ..FLASK_PRAETORIAN
    },
    Preset {
        name: "supabase",
        table: "auth.users",
        id: NONE,
        username: must(&["email"]),
        password: must(&["encrypted_password", "password"]),
        active: may(&["active"]),
        unset: Some("deleted_at"),
        until: Some("banned_until"),
        conditions_required: true,
        email: must(&["email"]),
        created: must(&["created_at", "created"]),
        confirmed: may(&["email_confirmed_at"]),
        ..FLASK_PRAETORIAN
    },
    Preset {
        name: "laravel",
        username: must(&["email"]),
        active: may(&["active"]),
        unset: Some("deleted_at"),
        email: must(&["email"]),
        confirmed: may(&["email_verified_at"]),
        ..FLASK_PRAETORIAN
    },
];

impl Preset {
    /// The name of the preset of lictor's own export, which is no table.
    pub const LICTOR: &'static str = "lictor";

    /// The preset with this name.
    pub fn named(name: &str) -> Option<&'static Preset> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// The one that is used if none is named.
    pub fn default() -> &'static Preset {
        &PRESETS[0]
    }

    /// The names of all, that of lictor's own export last.
    pub fn names() -> impl Iterator<Item = &'static str> {
        PRESETS.iter().map(|preset| preset.name).chain([Preset::LICTOR])
    }

    /// The columns that may give a field.
    pub(super) fn columns(&self, field: Field) -> Columns {
        match field {
            Field::Id => self.id,
            Field::Username => self.username,
            Field::Password => self.password,
            Field::Roles => self.roles,
            Field::Active => self.active,
            Field::Email => self.email,
            Field::Created => self.created,
            Field::Confirmed => self.confirmed,
        }
    }
}
