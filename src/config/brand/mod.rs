//! The looks of an operator's own, from a folder: name, colours, logo, icon, links. Reads the folder
//! once; knows no request.
//!
//! | file | owns |
//! |---|---|
//! | `words` | the text of the file `brand` |
//! | `colour` | contrasts, and the shades of an accent |
//! | `image` | the kinds of image |
//! | `sheet` | the style sheet that pages load |

mod colour;
mod image;
mod sheet;
mod words;

use std::fmt;
use std::fs::{self, File};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Issuer;
use crate::error::Problem;
use crate::link::PageUrl;
use crate::values::nearest;
use image::Kind;
#[cfg(feature = "cli")]
use words::ratio;
use words::{Accent, Words};

/// The name of the file with name, colours and links.
const WORDS: &str = "brand";
/// Limits on the size of a file, in bytes.
const MAX_WORDS: usize = 16 * 1024;
const MAX_IMAGE: usize = 256 * 1024;
/// The most files that a folder may have, hidden ones included: it is of a brand alone.
const MAX_FILES: usize = 64;

/// What an image is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Logo,
    /// The logo where the colours are dark.
    DarkLogo,
    /// The icon of windows and bookmarks.
    Favicon,
}

/// The images that a folder may have.
const IMAGES: [(&str, Role, Kind); 7] = [
    ("logo.svg", Role::Logo, Kind::Svg),
    ("logo.png", Role::Logo, Kind::Png),
    ("logo-dark.svg", Role::DarkLogo, Kind::Svg),
    ("logo-dark.png", Role::DarkLogo, Kind::Png),
    ("favicon.svg", Role::Favicon, Kind::Svg),
    ("favicon.png", Role::Favicon, Kind::Png),
    ("favicon.ico", Role::Favicon, Kind::Ico),
];

/// The looks of an operator's own, which the pages and mails take.
///
/// A folder with some of these files: `brand` with lines such as `name Example`,
/// `accent #2f4fa8`, `accent-dark #a3b8ff`, `imprint https://…` and `privacy https://…`;
/// `logo.svg` or `logo.png`, `logo-dark.…` and `favicon.…`.
#[derive(Debug, Clone, PartialEq)]
pub struct Brand {
    folder: PathBuf,
    words: Words,
    images: Vec<Image>,
    sheet: Served,
}

/// An image of the folder.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Image {
    /// The name of its file.
    name: &'static str,
    role: Role,
    pub(crate) kind: Kind,
    /// Width divided by height, in thousandths.
    ratio: u32,
    pub(crate) served: Served,
}

/// Bytes that are served, with their digest.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) bytes: Arc<[u8]>,
    /// Hexadecimal digits that change with the content.
    pub(crate) version: String,
}

impl Served {
    fn new(bytes: Vec<u8>) -> Served {
        let mut hasher = DefaultHasher::new();
        bytes.hash(&mut hasher);
        Served { bytes: bytes.into(), version: format!("{:016x}", hasher.finish()) }
    }
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes, {}", self.bytes.len(), self.version)
    }
}

impl Brand {
    /// Reads a folder. Hidden files are ignored; any other file must be one of a brand.
    ///
    /// # Errors
    ///
    /// If the folder or a file of it cannot be read, or for the first file that is wrong: a name that
    /// no file of a brand has, an image of another kind than its name says or larger than 256 KiB, a
    /// key that there is not, a colour in which text cannot be read.
    pub fn open(folder: impl AsRef<Path>) -> Result<Brand, Problem> {
        let folder = folder.as_ref();
        let mut words = Words::default();
        let mut images: Vec<Image> = Vec::new();
        for name in names(folder)? {
            let path = folder.join(&name);
            let within = |problem: Problem| {
                let what = format!("{}: {}", path.display(), problem.what);
                Problem { what, ..problem }
            };
            if name == WORDS {
                words = read_words(folder, &path).map_err(within)?;
            } else {
                let image = read_image(folder, &path, &name).map_err(within)?;
                if let Some(other) = images.iter().find(|other| other.role == image.role) {
                    let what = format!("there is {} as well", other.name);
                    return Err(within(Problem::usage(what, "remove one of the two")));
                }
                images.push(image);
            }
        }
        check_whole(folder, &words, &images)?;
        let mut brand = Brand {
            folder: std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()),
            words,
            images,
            sheet: Served::new(Vec::new()),
        };
        brand.sheet = Served::new(sheet::write(&brand).into_bytes());
        Ok(brand)
    }

    /// The name of the service, if the brand has one.
    pub(super) fn name(&self) -> Option<&Issuer> {
        self.words.name.as_ref()
    }

    /// The name of the service: that of the brand, or else the issuer.
    pub(crate) fn service<'a>(brand: Option<&'a Brand>, issuer: &'a Issuer) -> &'a Issuer {
        brand.and_then(Brand::name).unwrap_or(issuer)
    }

    /// The colours, if the brand has its own.
    pub(crate) fn accent(&self) -> Option<&Accent> {
        self.words.accent.as_ref()
    }

    /// The page that says who runs the service.
    pub(crate) fn imprint(&self) -> Option<&str> {
        self.words.imprint.as_ref().map(PageUrl::as_str)
    }

    /// The page that says what becomes of people's data.
    pub(crate) fn privacy(&self) -> Option<&str> {
        self.words.privacy.as_ref().map(PageUrl::as_str)
    }

    /// The style sheet with the colours and the logo.
    pub(crate) fn sheet(&self) -> &Served {
        &self.sheet
    }

    /// The image for something.
    pub(crate) fn image(&self, role: Role) -> Option<&Image> {
        self.images.iter().find(|image| image.role == role)
    }

    /// The image with the name of this file.
    pub(crate) fn image_named(&self, name: &str) -> Option<&Image> {
        self.images.iter().find(|image| image.name == name)
    }

    /// The icon of windows: a logo if there is no favicon.
    pub(crate) fn icon(&self) -> Option<&Image> {
        self.image(Role::Favicon).or_else(|| self.image(Role::Logo))
    }

    /// What there is, for people: the folder, logo, dark logo, favicon, accent, dark accent, imprint,
    /// privacy.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(&self) -> [Option<String>; 8] {
        let image = |role| self.image(role).map(Image::describe);
        let url = |url: Option<&str>| url.map(str::to_owned);
        let accent = self.accent();
        [
            Some(self.folder.display().to_string()),
            image(Role::Logo),
            image(Role::DarkLogo),
            image(Role::Favicon),
            accent.map(|accent| describe(&colour::LIGHT, &accent.light, false)),
            accent.map(|accent| describe(&colour::DARK, &accent.dark, accent.derived)),
            url(self.imprint()),
            url(self.privacy()),
        ]
    }
}

impl Image {
    /// The path with which it is served, which changes with the content.
    pub(crate) fn url(&self) -> String {
        format!("/brand/{}?v={}", self.name, self.served.version)
    }

    #[cfg(feature = "cli")]
    fn describe(&self) -> String {
        let Image { name, kind, served, .. } = self;
        format!("{name} ({}, {} bytes)", kind.name(), served.bytes.len())
    }
}

/// A colour with its contrasts.
#[cfg(feature = "cli")]
fn describe(scheme: &colour::Scheme, shades: &colour::Shades, derived: bool) -> String {
    let colour::Shades { accent, on_accent, .. } = shades;
    let (text, button) = (ratio(scheme.contrast(*accent)), ratio(on_accent.contrast(*accent)));
    let derived = if derived { ", made of the accent" } else { "" };
    format!("{accent}{derived} (contrast as text {text}, of a button's words {button})")
}

/// An error if what a folder has makes no brand.
fn check_whole(folder: &Path, words: &Words, images: &[Image]) -> Result<(), Problem> {
    let has = |role: Role| images.iter().any(|image| image.role == role);
    if has(Role::DarkLogo) && !has(Role::Logo) {
        return Err(Problem::usage(
            format!("{} has a logo for dark colours alone", folder.display()),
            "add logo.svg or logo.png, or call the only logo so",
        ));
    }
    if *words == Words::default() && images.is_empty() {
        return Err(Problem::usage(
            format!("there is nothing of a brand in {}", folder.display()),
            format!("it can have the files {}", all_names()),
        ));
    }
    Ok(())
}

/// The names of the files of a folder, in order, without hidden ones.
fn names(folder: &Path) -> Result<Vec<String>, Problem> {
    let unreadable = |error: std::io::Error| {
        Problem::usage(
            format!("cannot read the brand in {}: {error}", folder.display()),
            "give the setting `brand` a folder that the user who runs lictor can read",
        )
        .with_source(error)
    };
    let mut names = Vec::new();
    for (count, entry) in fs::read_dir(folder).map_err(unreadable)?.enumerate() {
        if count == MAX_FILES {
            return Err(Problem::usage(
                format!("there are more than {MAX_FILES} files in {}", folder.display()),
                "give the brand a folder of its own; hidden files count as well",
            ));
        }
        let name = entry.map_err(unreadable)?.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

fn read_words(folder: &Path, path: &Path) -> Result<Words, Problem> {
    let bytes = read(folder, path, MAX_WORDS)?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Problem::usage("it is not UTF-8", "write it in UTF-8"))?;
    Words::parse(&text)
}

fn read_image(folder: &Path, path: &Path, name: &str) -> Result<Image, Problem> {
    let Some((name, role, kind)) = IMAGES.into_iter().find(|(known, ..)| *known == name) else {
        let mut known = vec![WORDS];
        known.extend(IMAGES.map(|(name, ..)| name));
        let next = match nearest(&[name], &known) {
            Some(meant) => format!("did you mean {meant}? The names are {}", all_names()),
            None => format!("remove it; the names are {}", all_names()),
        };
        return Err(Problem::usage("no file of a brand has this name", next));
    };
    let bytes = read(folder, path, MAX_IMAGE)?;
    let ratio = kind.check(&bytes).map_err(|why| {
        Problem::usage(why, format!("save it as {}, and name it accordingly", kind.name()))
    })?;
    // The cast stops at the greatest number.
    let ratio = (ratio * 1000.0 + 0.5) as u32;
    Ok(Image { name, role, kind, ratio, served: Served::new(bytes) })
}

/// Reads a regular file of at most `limit` bytes. A link must lead to a file of the folder: what is
/// elsewhere may be a secret, and images are served to everybody.
fn read(folder: &Path, path: &Path, limit: usize) -> Result<Vec<u8>, Problem> {
    let unreadable = |error: std::io::Error| {
        let next = "let the user who runs lictor read it";
        Problem::usage(format!("it cannot be read: {error}"), next).with_source(error)
    };
    let real = fs::canonicalize(path).map_err(unreadable)?;
    if !real.starts_with(fs::canonicalize(folder).map_err(unreadable)?) {
        let next = "copy the file itself into the folder";
        return Err(Problem::usage("it is a link that leads out of the folder", next));
    }
    // Reading a pipe might never end.
    if !fs::metadata(&real).map_err(unreadable)?.is_file() {
        return Err(Problem::usage("it is not a regular file", "replace it by a file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(&real).map_err(unreadable)?;
    file.take(limit as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        let what = format!("it is larger than {} KiB", limit >> 10);
        return Err(Problem::usage(what, "make it smaller: everybody loads it"));
    }
    Ok(bytes)
}

fn all_names() -> String {
    let images = IMAGES.map(|(name, ..)| name).join(", ");
    format!("{WORDS}, {images}")
}

#[cfg(test)]
mod tests;
