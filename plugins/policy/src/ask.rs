//! What a handler asks for when it cannot decide by itself, and what it makes of the answer.

mod retry;
pub(crate) mod reuse;

use std::time::Duration;

use crate::{Call, Denial, FailedCall, FetchId, Reply};

pub(crate) use self::retry::Retry;

/// A call that a handler needs answered, and what the engine may do about it on its own.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) call: Call,
    /// Which of the handler's calls it is.
    pub(crate) leg: Leg,
    /// How old a remembered answer may be; `None` asks anew each time.
    pub(crate) reuse: Option<Duration>,
    /// The time for all tries together; `None` for a single try. [`Call::timeout`] is that of one.
    pub(crate) give_up_after: Option<Duration>,
}

impl Ask {
    /// A call that is made once, and anew for each request.
    pub(crate) const fn once(call: Call) -> Self {
        Self {
            call,
            leg: Leg::Main,
            reuse: None,
            give_up_after: None,
        }
    }
}

/// A handler makes at most two calls: the one that decides, and before it one for a token to make
/// that with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leg {
    /// For what the deciding call needs.
    Preliminary,
    /// The one that decides.
    Main,
}

/// The answer to an [`Ask`].
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) leg: Leg,
    pub(crate) reply: Reply,
}

/// What a handler made of an [`Answer`].
#[derive(Debug)]
pub(crate) struct Told<T> {
    pub(crate) outcome: T,
    /// How long the answer stays good at most, whatever [`Ask::reuse`] allows; zero for an answer that
    /// must not be remembered. Never past the expiry of what it vouches for.
    pub(crate) good_for: Duration,
}

impl<T> Told<T> {
    /// An answer for this request alone.
    pub(crate) const fn once(outcome: T) -> Self {
        Self {
            outcome,
            good_for: Duration::ZERO,
        }
    }

    /// An answer that may be remembered for as long as the handler's configuration says.
    pub(crate) const fn lasting(outcome: T) -> Self {
        Self {
            outcome,
            good_for: Duration::MAX,
        }
    }
}

/// How far an authorizer or a mutator has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// It agrees, and has changed the session as it wanted.
    Done,
    /// It refuses.
    Refused(Denial),
    /// The answer to this call decides.
    Ask(Box<Ask>),
    /// The keys that it needs are being fetched.
    Await(FetchId),
    /// It needs the request's body.
    NeedsBody,
}

impl Progress {
    /// What a handler says that never calls out: a driver that claims otherwise is not believed.
    pub(crate) fn uncalled() -> Told<Self> {
        Told::once(Self::Refused(uncalled()))
    }
}

impl From<Result<(), Denial>> for Progress {
    fn from(result: Result<(), Denial>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(denial) => Self::Refused(denial),
        }
    }
}

/// The refusal of a reply that nobody had asked for.
pub(crate) fn uncalled() -> Denial {
    Denial::Internal("a reply came to a handler that had not called".to_owned())
}

/// Whether another try may end better: the call was lost, or the other side is overloaded or broken
/// for the moment. 501 is its final word.
pub(crate) fn is_worth_a_retry(reply: &Reply) -> bool {
    match reply {
        Err(FailedCall::NotSent) => false,
        Err(FailedCall::Unreachable | FailedCall::TimedOut) => true,
        Ok(response) => {
            response.status == 429 || (response.status >= 500 && response.status != 501)
        }
    }
}
