//! How long a handler waits for whom it calls: Oathkeeper's `retry`.

use std::time::Duration;

use super::Ask;
use crate::{Call, config::Section};

/// The time for one try, and for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Retry {
    /// For [`crate::Call::timeout`].
    pub(crate) max_delay: Duration,
    /// For [`super::Ask::give_up_after`].
    pub(crate) give_up_after: Option<Duration>,
}

/// How long a side call may take. Oathkeeper waits for ever; a paused request costs the proxy memory, so
/// ours ends.
const MAX_DELAY: Duration = Duration::from_secs(5);

/// How long the client waits at most where a call may be repeated.
const GIVE_UP_AFTER: Duration = Duration::from_secs(10);

impl Retry {
    /// A single try.
    pub(crate) const ONCE: Self = Self {
        max_delay: MAX_DELAY,
        give_up_after: None,
    };

    /// Several tries, as far as the time for them goes.
    pub(crate) const REPEATED: Self = Self {
        max_delay: MAX_DELAY,
        give_up_after: Some(GIVE_UP_AFTER),
    };

    /// Asks `call` in this time, anew for each request.
    pub(crate) const fn ask(self, mut call: Call) -> Ask {
        call.timeout = self.max_delay;
        let mut ask = Ask::once(call);
        ask.give_up_after = self.give_up_after;
        ask
    }

    /// Reads the key `retry`, `default` where there is none. Oathkeeper's schema fills in 100 ms and
    /// 1 s, which its code then ignores; ours are generous, and kept.
    pub(crate) fn compile(section: &mut Section<'_>, default: Self) -> Self {
        if section.value("retry").is_none() {
            return default;
        }
        let mut retry = section.section("retry");
        let max_delay = retry.duration("max_delay").unwrap_or(MAX_DELAY);
        let give_up_after = retry.duration("give_up_after").unwrap_or(GIVE_UP_AFTER);
        for (key, time) in [("max_delay", max_delay), ("give_up_after", give_up_after)] {
            if time.is_zero() {
                retry.wrong(key, "must be longer than nothing: no call ends in no time");
            }
        }
        retry.finish();
        Self {
            max_delay,
            give_up_after: Some(give_up_after),
        }
    }
}
