//! What is served: the routes, who may call them, and the pages.

pub(crate) mod origin;
pub(crate) mod route;
