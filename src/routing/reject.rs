//! Why a route is left out, by name and with its numbers.

use jiff::Timestamp;

use crate::chat::fault::Class;
use crate::chat::{Fault, Unfit};
use crate::quota::Kind;

/// One route's reason. Routes that the `model` field does not name have none: nobody asked for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rejection {
    /// The intent filters leave it out.
    Filtered,
    /// The caller named it as one to avoid.
    Avoided,
    Lacks(&'static str),
    ContextTooSmall {
        context: u64,
        needed: u64,
    },
    /// The request alone is larger than this limit allows.
    NeverFits {
        limit: String,
        amount: u64,
        needed: u64,
    },
    OutOfQuota {
        kind: Kind,
        limit: String,
        until: Timestamp,
        /// What is reserved and not settled yet may make room before.
        may_settle: bool,
    },
    /// It rests after a fault.
    Resting {
        cause: Fault,
        until: Timestamp,
    },
    KeyRejected,
    /// It has been tried for this request already.
    Tried(Fault),
    /// It might bill, and the caller wants none that does.
    MightBill,
    /// Its provider trains on prompts, and the caller wants none that does.
    TrainsOnPrompts,
}

impl Rejection {
    /// A rest that ends before there is quota again holds until then, for all that anybody can do about it.
    #[must_use]
    pub fn at_least_until<T>(self, quota: Result<T, &Self>) -> Self {
        match (self, quota) {
            (Self::Resting { cause, until }, Err(Self::OutOfQuota { until: free, .. })) => {
                Self::Resting { cause, until: until.max(*free) }
            }
            (own, _) => own,
        }
    }

    pub const fn class(&self) -> Class {
        match self {
            Self::OutOfQuota { .. } => Class::OutOfQuota,
            Self::Resting { cause, .. } | Self::Tried(cause) => cause.class(),
            Self::KeyRejected => Class::Keys,
            Self::Filtered
            | Self::Avoided
            | Self::Lacks(_)
            | Self::ContextTooSmall { .. }
            | Self::NeverFits { .. }
            | Self::MightBill
            | Self::TrainsOnPrompts => Class::Request,
        }
    }

    /// Whether an exact token count in the place of a bound could lift this rejection.
    pub const fn depends_on_tokens(&self) -> bool {
        match self {
            Self::ContextTooSmall { .. } | Self::NeverFits { .. } => true,
            Self::OutOfQuota { kind, .. } => !matches!(kind, Kind::Requests),
            _ => false,
        }
    }

    pub const fn until(&self) -> Option<Timestamp> {
        match self {
            Self::OutOfQuota { until, .. } | Self::Resting { until, .. } => Some(*until),
            Self::Tried(fault) => fault.until(),
            _ => None,
        }
    }

    /// Sorts the best standing first: usable, then usable again soonest, then until nobody knows when.
    pub fn order(standing: Option<&Self>) -> Option<(bool, Option<Timestamp>)> {
        standing.map(|rejection| (rejection.until().is_none(), rejection.until()))
    }

    /// The route's state for a small request, in a word or two.
    pub const fn state(&self) -> &'static str {
        match self {
            Self::MightBill => "might bill",
            Self::TrainsOnPrompts => "trains",
            Self::KeyRejected => "bad key",
            Self::Resting { cause: Fault::Gone, .. } => "gone",
            Self::Resting { .. } => "cooldown",
            _ => "limited",
        }
    }

    /// The reason in a word, for programs.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Filtered => "filtered",
            Self::Avoided => "avoided",
            Self::Lacks(_) => "lacks_feature",
            Self::ContextTooSmall { .. } => "context_too_small",
            Self::NeverFits { .. } => "never_fits",
            Self::OutOfQuota { .. } => "out_of_quota",
            Self::Resting { .. } => "resting",
            Self::KeyRejected => "key_rejected",
            Self::Tried(_) => "tried",
            Self::MightBill => "might_bill",
            Self::TrainsOnPrompts => "trains_on_prompts",
        }
    }

    /// The reason in a few words, without anything a provider said.
    pub fn text(&self) -> String {
        match self {
            Self::Filtered => "left out by the request's filters".to_owned(),
            Self::Avoided => "avoided on request".to_owned(),
            Self::Lacks(feature) => format!("has no {feature}"),
            Self::ContextTooSmall { context, needed } => format!("context {context} is too small for {needed} tokens"),
            Self::NeverFits { limit, amount, needed } => format!("{needed} exceeds {amount} {limit}"),
            Self::OutOfQuota { limit, .. } => format!("{limit} used up"),
            Self::Resting { cause, .. } => format!("rests after {}", cause.word()),
            Self::KeyRejected => "key rejected".to_owned(),
            Self::Tried(fault) => fault.word(),
            Self::MightBill => "might bill past its quota".to_owned(),
            Self::TrainsOnPrompts => "trains on prompts".to_owned(),
        }
    }

    /// The fault a request ends with when this is all that is left to say.
    pub fn as_fault(&self) -> Fault {
        match self {
            Self::OutOfQuota { until, .. } => Fault::Full { until: Some(*until) },
            Self::Resting { cause, .. } | Self::Tried(cause) => cause.clone(),
            Self::KeyRejected => Fault::Denied,
            Self::Lacks(feature) => Fault::Unfit(Unfit::Lacks(feature)),
            Self::ContextTooSmall { context, needed } => {
                Fault::Unfit(Unfit::ContextTooLong { needed: *needed, context: *context })
            }
            Self::NeverFits { amount, needed, .. } => {
                Fault::Unfit(Unfit::ContextTooLong { needed: *needed, context: *amount })
            }
            Self::Filtered | Self::Avoided | Self::MightBill | Self::TrainsOnPrompts => {
                Fault::Unfit(Unfit::Filtered(format!("no route is left: {}", self.text())))
            }
        }
    }
}
