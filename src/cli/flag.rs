//! A row in the table of a command: a flag, or an argument without one. Says what clap has to know of
//! it; [`super::args`] reads what people gave for it.

use clap::{Arg, ArgAction};

use super::kind::{Kind, Parser};

/// A row of a table.
pub(super) enum Row {
    One(Flag),
    /// The rows of another table, in this place.
    Group(&'static [Row]),
}

/// A flag, or an argument without one.
pub(super) struct Flag {
    written: &'static str,
    kind: Kind,
    help: &'static str,
    variable: Option<&'static str>,
    default: Option<&'static str>,
    several: bool,
    separated: bool,
    secret: bool,
    hyphens: bool,
    rest: bool,
    everywhere: bool,
    excludes: &'static [&'static str],
}

/// A flag as people write it: `--listen ADDR:PORT`, or `--json`; an argument: `NAME`, or `[NAME]` if it
/// may be left out.
pub(super) const fn flag(written: &'static str, kind: Kind) -> Flag {
    Flag {
        written,
        kind,
        help: "",
        variable: None,
        default: None,
        several: false,
        separated: false,
        secret: false,
        hyphens: false,
        rest: false,
        everywhere: false,
        excludes: &[],
    }
}

/// The rows of a table that several commands share.
pub(super) const fn group(rows: &'static [Row]) -> Row {
    Row::Group(rows)
}

impl Flag {
    /// The variable that counts where the flag is not given.
    pub(super) const fn env(mut self, variable: &'static str) -> Flag {
        self.variable = Some(variable);
        self
    }

    /// The value where nothing gives one.
    pub(super) const fn default(mut self, default: &'static str) -> Flag {
        self.default = Some(default);
        self
    }

    /// It can be given several times.
    pub(super) const fn several(mut self) -> Flag {
        self.several = true;
        self
    }

    /// It can be given several times, and each time with several values, separated by commas.
    pub(super) const fn list(mut self) -> Flag {
        self.separated = true;
        self.several()
    }

    /// The help does not show the value of the variable.
    pub(super) const fn secret(mut self) -> Flag {
        self.secret = true;
        self
    }

    /// The value may begin like a flag.
    pub(super) const fn hyphens(mut self) -> Flag {
        self.hyphens = true;
        self
    }

    /// It takes all words that follow, also those that begin like a flag.
    pub(super) const fn rest(mut self) -> Flag {
        self.rest = true;
        self.hyphens()
    }

    /// Every command below has it as well.
    pub(super) const fn everywhere(mut self) -> Flag {
        self.everywhere = true;
        self
    }

    /// None of these can be given with it.
    pub(super) const fn excludes(mut self, others: &'static [&'static str]) -> Flag {
        self.excludes = others;
        self
    }

    /// What it means. The last part: it makes a row.
    pub(super) const fn help(mut self, help: &'static str) -> Row {
        self.help = help;
        Row::One(self)
    }

    /// The argument of clap.
    fn arg(&'static self) -> Arg {
        // An argument's name is that of its value.
        let (name, value) =
            self.written.split_once(' ').unwrap_or((self.written, bare(self.written)));
        let mut arg =
            Arg::new(id(name)).help(self.help).hide_env_values(self.secret).global(self.everywhere);
        arg = match name.strip_prefix("--") {
            Some(long) => arg.long(long),
            None => arg.required(!name.starts_with('[')),
        };
        if let Some(variable) = self.variable {
            arg = arg.env(variable);
        }
        if let Some(default) = self.default {
            arg = arg.default_value(default);
        }
        if self.separated {
            arg = arg.value_delimiter(',');
        }
        arg = arg.conflicts_with_all(self.excludes.iter().map(|other| id(other)));
        match self.kind {
            Kind::Switch => arg.action(ArgAction::SetTrue),
            _ => arg
                .value_name(value)
                .allow_hyphen_values(self.hyphens)
                .trailing_var_arg(self.rest)
                .action(if self.several { ArgAction::Append } else { ArgAction::Set })
                .value_parser(Parser(&self.kind)),
        }
    }
}

/// Calls `add` with the argument of each row, in order.
pub(super) fn each_arg(rows: &'static [Row], add: &mut dyn FnMut(Arg)) {
    for row in rows {
        match row {
            Row::One(flag) => add(flag.arg()),
            Row::Group(rows) => each_arg(rows, add),
        }
    }
}

/// The name by which clap finds an argument that is written so.
pub(super) fn id(name: &'static str) -> &'static str {
    bare(name.strip_prefix("--").unwrap_or(name))
}

fn bare(name: &'static str) -> &'static str {
    name.trim_start_matches('[').trim_end_matches(']')
}
