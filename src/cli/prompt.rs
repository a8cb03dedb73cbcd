//! What commands ask for: a password, and a confirmation.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _, Write as _};

use zeroize::Zeroizing;

use super::output::failed;
use crate::error::Problem;
use crate::guard::{Hasher, Password, PasswordRules};
use crate::values::{Email, PasswordHash, Username};

/// Bytes read from standard input for an answer.
const MAX_INPUT: u64 = 4096;

/// Asks for a new password and hashes it: twice on a terminal, otherwise the first line of standard
/// input.
pub(super) fn new_password(
    name: &Username,
    email: Option<&Email>,
    (rules, hasher): &(PasswordRules, Hasher),
) -> Result<PasswordHash, Problem> {
    let typed = if io::stdin().is_terminal() { typed_twice(name) } else { first_line() }?;
    let password = Password::choose(&typed, name, email, rules).map_err(failed)?;
    hasher.hash(&password).map_err(failed)
}

fn typed_twice(name: &Username) -> Result<Zeroizing<String>, Problem> {
    let prompt =
        |text: &str| rpassword::prompt_password(text).map(Zeroizing::new).map_err(unreadable);
    let first = prompt(&format!("password for {name}: "))?;
    let again = prompt("the same again: ")?;
    if *first != *again {
        return Err(Problem::new("the two passwords differ", "try again"));
    }
    Ok(first)
}

fn first_line() -> Result<Zeroizing<String>, Problem> {
    // With room for all of it from the start: growing would leave copies behind.
    let mut line = Zeroizing::new(String::with_capacity(MAX_INPUT as usize));
    io::stdin().lock().take(MAX_INPUT).read_line(&mut line).map_err(unreadable)?;
    let end = line.trim_end_matches(['\r', '\n']).len();
    line.truncate(end);
    Ok(line)
}

fn unreadable(error: io::Error) -> Problem {
    Problem::new(
        format!("cannot read the password: {error}"),
        "type it at the prompt, or send it as one line on standard input",
    )
    .with_source(error)
}

/// Asks `question` on the terminal; true for yes. `action` names in an error what needs confirmation.
pub(super) fn confirmed(action: &str, question: &str) -> Result<bool, Problem> {
    if !io::stdin().is_terminal() {
        return Err(Problem::new(
            format!("{action} needs confirmation, but standard input is not a terminal"),
            "add --yes if you are sure",
        ));
    }
    let mut answer = String::new();
    let asked = write!(io::stderr(), "{question} [y/N] ")
        .and_then(|()| io::stdin().lock().take(MAX_INPUT).read_line(&mut answer));
    asked.map_err(|error| {
        Problem::new(format!("cannot ask: {error}"), "add --yes").with_source(error)
    })?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
