//! What a start says while there is no administrator: a link that makes the first one, good until it
//! is used or the server starts again, and the commands that do the same.

use std::io::{self, Write as _};

use super::database::Chosen;
use super::logging;
use super::service::quoted;
use crate::app::App;
use crate::config::Web;
use crate::error::Error;
use crate::link::PageUrl;

/// Prints the link and the command, and logs them if the log goes elsewhere. `open` is the URL at which
/// this machine reaches the server.
pub(super) fn announce(app: &App, open: &PageUrl, chosen: &Chosen) {
    if let Err(error) = try_announce(app, open, chosen) {
        log::error!("cannot see whether there is an administrator: {error}");
    }
}

fn try_announce(app: &App, open: &PageUrl, chosen: &Chosen) -> Result<(), Error> {
    let link = link(app, open)?;
    if !app.needs_admin()? {
        return Ok(());
    }
    let add = command("user add NAME --role admin", chosen);
    let (link, or) = match &link {
        Some(link) => (format!("{link} (works once, until a restart)"), ", or "),
        None => (String::new(), ""),
    };
    let line = format!("no administrator yet; make the first one: {link}{or}{add}");
    if logging::is_json() {
        // Whatever the level of the log: nothing else shows the link.
        let _ = writeln!(io::stderr(), "{}", logging::json_line(log::Level::Info, &line));
    } else {
        let _ = writeln!(io::stdout(), "{line}");
        if logging::is_apart() {
            log::info!("{line}");
        }
    }
    let roles = command("user roles NAME --add admin", chosen);
    log::info!("an account that there is becomes an administrator with: {roles}");
    Ok(())
}

/// Makes the link; `None` if it is not needed, or if lictor's own pages are not served. The token
/// stands behind the `#`, so no browser sends it with the page's request, and no proxy logs it.
fn link(app: &App, open: &PageUrl) -> Result<Option<String>, Error> {
    if app.config.web != Web::Embedded {
        return Ok(None);
    }
    let Some(token) = app.begin_setup()? else { return Ok(None) };
    let page = app.config.public_url.as_ref().filter(|url| !url.as_str().contains(['?', '#']));
    let page = page.unwrap_or(open).below(PageUrl::SETUP);
    Ok(Some([page.as_str(), "#", &token.shown()].concat()))
}

/// Returns a command as a shell takes it anywhere on this machine. No command shows the URL of a
/// server, which may have a password.
fn command(words: &str, Chosen { database, origin }: &Chosen) -> String {
    let file = database.absolute().to_string();
    match (database.is_shared(), *origin) {
        (true, origin) => format!("lictor {words}, with the {origin} of the server"),
        (false, "LICTOR_DATABASE") => {
            format!("LICTOR_DATABASE={} lictor {words}", quoted(&file))
        }
        (false, _) => format!("lictor {words} --database {}", quoted(&file)),
    }
}
