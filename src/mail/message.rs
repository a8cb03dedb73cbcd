//! stub
use super::Content;
use crate::{clock::Timestamp, error::Problem};
pub struct Mail<'a> {
    pub id: &'a str,
    pub to: &'a str,
    pub language: &'static str,
    pub date: Timestamp,
    pub content: &'a Content,
}
#[derive(Debug, Clone)]
pub struct Sender(String);
impl Sender {
    pub fn parse(text: &str) -> Result<Sender, Problem> {
        Ok(Sender(text.into()))
    }
}
impl std::fmt::Display for Sender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}
