//! stub
use super::{Mail, Sender};
use crate::error::Problem;
#[derive(Debug, Clone)]
pub struct Transport(std::path::PathBuf);
#[derive(Debug)]
pub enum Failure {
    Temporary(String),
    Permanent(String),
}
impl Transport {
    pub fn parse(text: &str) -> Result<Transport, Problem> {
        Ok(Transport(text.trim_start_matches("dir:").into()))
    }
    pub fn deliver(&self, _: &Sender, mail: &Mail<'_>) -> Result<(), Failure> {
        std::fs::write(
            self.0.join(format!("{}.eml", mail.id)),
            format!("To: {}\n\n{}", mail.to, mail.content.text),
        )
        .map_err(|e| Failure::Temporary(e.to_string()))
    }
    pub fn describe(&self) -> String {
        "dir".into()
    }
}
