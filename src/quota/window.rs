//! The shape of a limit in time: rolling with the clock, or turning at a calendar's boundaries.

use std::time::Duration;

use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

use crate::chat::Period;
use crate::clock::later;

/// When an amount used now is given back.
#[derive(Debug, Clone, PartialEq)]
pub enum Window {
    /// After `length`, each amount for itself.
    Rolling { length: Duration },
    /// All at once, when the calendar's next `every` begins: days and months turn at `at` in `zone`.
    Calendar { every: Period, at: Time, zone: TimeZone },
}

impl Window {
    /// The window a period has when its provider says no more: short ones roll, days and months turn at 00:00 UTC.
    pub fn usual(period: Period) -> Self {
        match period {
            Period::Day | Period::Month => Self::Calendar { every: period, at: Time::midnight(), zone: TimeZone::UTC },
            Period::Second | Period::Minute | Period::Hour => Self::rolling(period),
        }
    }

    /// A rolling window of one period's length; a month is 30 days.
    pub const fn rolling(period: Period) -> Self {
        let seconds = match period {
            Period::Second => 1,
            Period::Minute => 60,
            Period::Hour => 3_600,
            Period::Day => 86_400,
            Period::Month => 30 * 86_400,
        };
        Self::Rolling { length: Duration::from_secs(seconds) }
    }
}

impl Window {
    /// The moment by which everything used up to `now` has been given back.
    pub fn restored_after(&self, now: Timestamp) -> Timestamp {
        match self {
            Self::Rolling { length } => later(now, *length),
            Self::Calendar { every, at, zone } => next_boundary(*every, *at, zone, now),
        }
    }
}

/// The first boundary of the calendar after `now`.
pub fn next_boundary(every: Period, at: Time, zone: &TimeZone, now: Timestamp) -> Timestamp {
    let local = now.to_zoned(zone.clone());
    boundary_after(every, at, zone, &local).map_or(Timestamp::MAX, |boundary| boundary.timestamp())
}

fn boundary_after(every: Period, at: Time, zone: &TimeZone, now: &Zoned) -> Result<Zoned, jiff::Error> {
    let (first, step) = match every {
        Period::Second => return short_boundary(now, 1),
        Period::Minute => return short_boundary(now, 60),
        Period::Hour => return short_boundary(now, 3_600),
        Period::Day => (now.date(), Span::new().days(1)),
        Period::Month => (now.date().first_of_month(), Span::new().months(1)),
    };
    // A boundary that falls into a clock change takes the moment the zone's rules give it (never earlier than it was due).
    let boundary = first.to_datetime(at).to_zoned(zone.clone())?;
    if boundary.timestamp() > now.timestamp() {
        return Ok(boundary);
    }
    first.checked_add(step)?.to_datetime(at).to_zoned(zone.clone())
}

/// Windows up to an hour turn with the clock, which no zone shifts by less than a quarter of an hour.
fn short_boundary(now: &Zoned, seconds: i64) -> Result<Zoned, jiff::Error> {
    let next = (now.timestamp().as_second().div_euclid(seconds) + 1) * seconds;
    Ok(Timestamp::from_second(next)?.to_zoned(now.time_zone().clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(every: Period, zone: &str, now: &str) -> String {
        let zone = TimeZone::get(zone).expect("a known zone");
        next_boundary(every, Time::midnight(), &zone, now.parse().expect("a moment")).to_string()
    }

    #[test]
    fn days_and_months_turn_where_the_zone_says() {
        let cases = [
            (Period::Day, "UTC", "2026-11-22T23:59:59Z", "2026-11-23T00:00:00Z"),
            (Period::Day, "UTC", "2026-11-23T00:00:00Z", "2026-11-24T00:00:00Z"),
            (Period::Day, "America/Los_Angeles", "2026-11-22T07:59:59Z", "2026-11-22T08:00:00Z"),
            // The day of 23 hours and the day of 25 hours.
            (Period::Day, "America/Los_Angeles", "2026-03-08T12:00:00Z", "2026-03-09T07:00:00Z"),
            (Period::Day, "America/Los_Angeles", "2026-11-01T12:00:00Z", "2026-11-02T08:00:00Z"),
            (Period::Month, "UTC", "2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z"),
            (Period::Month, "UTC", "2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"),
            (Period::Minute, "UTC", "2026-11-22T10:00:30.5Z", "2026-11-22T10:01:00Z"),
        ];
        for (every, zone, now, expected) in cases {
            assert_eq!(turns(every, zone, now), expected, "{every:?} in {zone} at {now}");
        }
    }
}
