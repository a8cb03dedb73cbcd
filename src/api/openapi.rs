//! `GET /api/openapi.json`: the description of the API for programs (OpenAPI 3.1). Knows no endpoint.

use std::sync::OnceLock;

use miniz_oxide::inflate::decompress_to_vec_with_limit;

use crate::app::Call;
use crate::assets::negotiate;
use crate::error::Error;
use crate::http::{HeaderValue, Response};

/// `docs/openapi.json` without spaces, deflated; `tools/openapi compress` generates it.
const DEFLATED: &[u8] = include_bytes!("openapi.deflate");
/// The most bytes that it inflates to.
const MAX_PLAIN: usize = 1024 * 1024;
/// The header of a gzip file without name and time (RFC 1952 section 2.3).
const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 2, 255];

/// The document in both forms in which it is sent.
struct Document {
    plain: Vec<u8>,
    gzip: Vec<u8>,
    /// The CRC of the plain form. It identifies the document well enough.
    crc: u32,
}

impl Document {
    /// Inflates the document. `None` if the program is damaged.
    fn new() -> Option<Document> {
        let plain = decompress_to_vec_with_limit(DEFLATED, MAX_PLAIN).ok()?;
        let crc = crc(&plain);
        let trailer = [crc.to_le_bytes(), (plain.len() as u32).to_le_bytes()].concat();
        let gzip = [&GZIP_HEADER, DEFLATED, &trailer].concat();
        Some(Document { plain, gzip, crc })
    }

    /// The entity tag of one of the forms.
    fn etag(&self, gzip: bool) -> String {
        format!("\"{:08x}{}\"", self.crc, if gzip { "-gz" } else { "" })
    }
}

/// The checksum of a gzip file (RFC 1952 section 8). Bit by bit: it is computed once.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

/// The document, for everybody; 304 for a client that has it.
pub(super) fn get(call: &Call<'_>) -> Result<Response, Error> {
    static DOCUMENT: OnceLock<Option<Document>> = OnceLock::new();
    let document = DOCUMENT.get_or_init(Document::new).as_ref();
    let document =
        document.ok_or_else(|| Error::Internal("the API's document is damaged".into()))?;
    let gzip = negotiate::accepts_gzip(call.request.headers("accept-encoding"));
    let etag = document.etag(gzip);
    let response = match negotiate::has_current(call.request.headers("if-none-match"), &etag) {
        true => Response::empty(304),
        false if gzip => Response::fixed(200, "application/json", &document.gzip[..])
            .with("Content-Encoding", "gzip"),
        false => Response::fixed(200, "application/json", &document.plain[..]),
    };
    let response = response.with("Cache-Control", "no-cache").with("Vary", "Accept-Encoding");
    Ok(match HeaderValue::new(etag) {
        Some(etag) => response.with_value("ETag", etag),
        None => response,
    })
}

#[cfg(test)]
mod tests;
