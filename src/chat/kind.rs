//! What a failed request comes to, for whoever asked: the one list behind exit codes, HTTP statuses and `error.code`.

use super::fault::{Breakage, Class, Fault, Unfit};

/// The outcomes that callers tell apart. A surface maps each to its own terms, and adds none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    OutOfQuota,
    Timeout,
    Unavailable,
    /// The answer broke off.
    Cut,
    /// The model is not offered any more.
    Gone,
    /// Every key that could be used was rejected.
    Keys,
    /// The request is larger than any route takes.
    TooLong,
    /// It uses what no model has.
    Unsupported,
    /// Its filters leave nobody.
    Filtered,
    /// A provider found it wrong.
    Rejected,
    UnknownModel,
    NotSetUp,
    StoreLost,
}

impl ErrorKind {
    pub const ALL: [Self; 13] = [
        Self::OutOfQuota,
        Self::Timeout,
        Self::Unavailable,
        Self::Cut,
        Self::Gone,
        Self::Keys,
        Self::TooLong,
        Self::Unsupported,
        Self::Filtered,
        Self::Rejected,
        Self::UnknownModel,
        Self::NotSetUp,
        Self::StoreLost,
    ];

    /// The `error.code` of an HTTP error, by which another relay knows the kind again.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OutOfQuota => "quota_exhausted",
            Self::Timeout => "upstream_timeout",
            Self::Unavailable => "upstream_unavailable",
            Self::Cut => "upstream_cut",
            Self::Gone => "upstream_model_gone",
            Self::Keys => "upstream_credentials_exhausted",
            Self::TooLong => "context_length_exceeded",
            Self::Unsupported => "unsupported_feature",
            Self::Filtered => "no_matching_route",
            Self::Rejected => "invalid_request",
            Self::UnknownModel => "model_not_found",
            Self::NotSetUp => "no_provider",
            Self::StoreLost => "store_unavailable",
        }
    }

    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.code() == code)
    }

    /// Its place among mixed causes.
    pub const fn class(self) -> Class {
        match self {
            Self::OutOfQuota => Class::OutOfQuota,
            Self::Timeout => Class::Timeout,
            Self::Unavailable | Self::Cut | Self::Gone => Class::Unavailable,
            Self::Keys => Class::Keys,
            Self::TooLong | Self::Unsupported | Self::Filtered | Self::Rejected | Self::UnknownModel => Class::Request,
            Self::NotSetUp | Self::StoreLost => Class::Setup,
        }
    }
}

impl Fault {
    /// What a request that ends with this fault comes to.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy { .. } | Self::Spent { .. } | Self::Full { .. } => ErrorKind::OutOfQuota,
            Self::Denied => ErrorKind::Keys,
            Self::Gone => ErrorKind::Gone,
            Self::Unfit(Unfit::ContextTooLong { .. } | Unfit::CannotBeCut { .. } | Unfit::TooLarge) => {
                ErrorKind::TooLong
            }
            Self::Unfit(Unfit::Lacks(_)) => ErrorKind::Unsupported,
            Self::Unfit(Unfit::Filtered(_)) => ErrorKind::Filtered,
            Self::Broken(Breakage::Timeout(_)) => ErrorKind::Timeout,
            Self::Broken(_) => ErrorKind::Unavailable,
            Self::Cut => ErrorKind::Cut,
            Self::Invalid { .. } => ErrorKind::Rejected,
            Self::Unknown { .. } => ErrorKind::UnknownModel,
            Self::NothingSetUp => ErrorKind::NotSetUp,
            Self::StoreLost => ErrorKind::StoreLost,
        }
    }

    pub const fn class(&self) -> Class {
        self.kind().class()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_again_by_its_code() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::of_code(kind.code()), Some(kind));
        }
        assert_eq!(ErrorKind::of_code("rate"), None);
    }
}
