//! Which pages are served beside the API.

use std::path::PathBuf;

/// The pages that are served where the API has no route.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Web {
    /// None: a path without an endpoint is not found.
    Off,
    /// lictor's own app, which is part of the program. Needs the feature `web-app`.
    #[cfg(feature = "web-app")]
    Embedded,
    /// The app in this folder, which has an `index.html`.
    Folder(PathBuf),
}
