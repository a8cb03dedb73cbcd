//! The app in use. A reload puts one with other settings in its place; what has begun with the one
//! before ends with it. The one before is dropped, and its secrets wiped, when the last of that has
//! ended.

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};

use super::App;

/// The app in use, shared by a site and the background threads.
#[derive(Debug)]
pub(crate) struct Current(ArcSwap<App>);

impl Current {
    pub(crate) fn new(app: Arc<App>) -> Arc<Current> {
        Arc::new(Current(ArcSwap::new(app)))
    }

    /// Returns the app for the length of a request, or of a step in the background. Takes no lock,
    /// and writes nothing that other threads write.
    pub(crate) fn get(&self) -> Guard<Arc<App>> {
        self.0.load()
    }

    /// Returns the app for a longer time.
    pub(crate) fn keep(&self) -> Arc<App> {
        self.0.load_full()
    }

    /// Puts another app in its place.
    #[cfg(feature = "cli")]
    pub(crate) fn replace(&self, app: App) {
        self.0.store(Arc::new(app));
    }
}
