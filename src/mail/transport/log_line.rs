//! `log:`: writes a log line instead of sending a mail, for development. Knows no message.

use crate::mail::message::Mail;

/// Logs the recipient, the subject and the link.
pub(super) fn deliver(mail: &Mail<'_>) {
    let Mail { to, content, .. } = mail;
    let subject = content.subject.escape_debug();
    match link(&content.text) {
        Some(link) => log::info!("mail to {to}: {subject}: {}", link.escape_debug()),
        None => log::info!("mail to {to}: {subject}"),
    }
}

fn link(text: &str) -> Option<&str> {
    text.split_whitespace().find(|word| word.starts_with("http://") || word.starts_with("https://"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_url_is_the_link() {
        for (text, expected) in [
            ("Good day\n\nhttps://a.example/x?token=y\n\nBye", Some("https://a.example/x?token=y")),
            ("see http://localhost/", Some("http://localhost/")),
            ("no link", None),
        ] {
            assert_eq!(link(text), expected, "{text:?}");
        }
    }
}
