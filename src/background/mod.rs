//! What is done while nobody asks for anything.

pub(crate) mod sweep;
