//! Rules that are a choice of few: the reuse of old tokens, and who must have a second factor.

/// Where an older token of a session may be refreshed again after the grace period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RefreshReuse {
    /// Where the session was refreshed last: the same address and program. Client libraries that
    /// keep a copy of the token for each tab need it.
    SameDevice,
    /// Nowhere: an older token ends its session.
    Never,
}

impl RefreshReuse {
    /// Its name on the command line.
    #[cfg(feature = "cli")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            RefreshReuse::SameDevice => "same-device",
            RefreshReuse::Never => "never",
        }
    }
}

/// Whose accounts must have a second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SecondFactorRule {
    /// Nobody's.
    Off,
    /// Those with the role `admin`.
    Admin,
    /// Everybody's.
    All,
}

impl SecondFactorRule {
    /// A description for people.
    #[cfg(feature = "cli")]
    pub(crate) fn describe(self) -> &'static str {
        match self {
            SecondFactorRule::Off => "not required",
            SecondFactorRule::Admin => "required of administrators",
            SecondFactorRule::All => "required of everybody",
        }
    }
}
