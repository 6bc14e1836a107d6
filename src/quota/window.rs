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
        Self::Rolling { length: length(period) }
    }
}

/// How long a period is; a month is 30 days.
pub const fn length(period: Period) -> Duration {
    let seconds = match period {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Hour => 3_600,
        Period::Day => 86_400,
        Period::Month => 30 * 86_400,
    };
    Duration::from_secs(seconds)
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

fn is_day_of_utc(every: Period, at: Time, zone: &TimeZone) -> bool {
    every == Period::Day && at == Time::midnight() && *zone == TimeZone::UTC
}

/// The first boundary of the calendar after `now`.
pub fn next_boundary(every: Period, at: Time, zone: &TimeZone, now: Timestamp) -> Timestamp {
    if is_day_of_utc(every, at, zone) {
        // The usual one needs no calendar.
        let midnight = (now.as_second().div_euclid(86_400) + 1) * 86_400;
        return Timestamp::from_second(midnight).unwrap_or(Timestamp::MAX);
    }
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

    /// Checks that the window is the same one from `from` until just before `turn`, and another one at `turn`.
    fn check(every: Period, at: Time, zone: &str, from: &str, turn: &str) {
        let zone_rules = TimeZone::get(zone).expect("a known zone");
        let [from, turn]: [Timestamp; 2] = [from, turn].map(|moment| moment.parse().expect("a moment"));
        let next = |now| next_boundary(every, at, &zone_rules, now);
        let before = Timestamp::from_nanosecond(turn.as_nanosecond() - 1).expect("in range");
        for now in [from, before] {
            assert_eq!(next(now), turn, "{every:?} at {at} in {zone}, at {now}");
        }
        assert!(next(turn) > turn, "{every:?} at {at} in {zone} turns once at {turn}");
    }

    #[test]
    fn windows_turn_where_their_zone_says_over_clock_changes_and_leap_days() {
        const LOS_ANGELES: &str = "America/Los_Angeles";
        let (day, month) = (Period::Day, Period::Month);
        let midnight = [
            (day, "UTC", "2026-11-22T00:00:00Z", "2026-11-23T00:00:00Z"),
            (day, "UTC", "2028-02-28T12:00:00Z", "2028-02-29T00:00:00Z"),
            (day, "UTC", "2028-02-29T12:00:00Z", "2028-03-01T00:00:00Z"),
            (month, "UTC", "2026-12-31T12:00:00Z", "2027-01-01T00:00:00Z"),
            (month, "UTC", "2028-02-01T00:00:00Z", "2028-03-01T00:00:00Z"),
            (month, "UTC", "2027-02-01T00:00:00Z", "2027-03-01T00:00:00Z"),
            (Period::Minute, "UTC", "2026-11-22T10:00:30.5Z", "2026-11-22T10:01:00Z"),
            (Period::Hour, LOS_ANGELES, "2026-11-22T10:00:00Z", "2026-11-22T11:00:00Z"),
            (day, LOS_ANGELES, "2026-11-21T08:00:00Z", "2026-11-22T08:00:00Z"),
            // 23 hours, 25 hours, and the months they are in.
            (day, LOS_ANGELES, "2026-03-08T08:00:00Z", "2026-03-09T07:00:00Z"),
            (day, LOS_ANGELES, "2026-11-01T07:00:00Z", "2026-11-02T08:00:00Z"),
            (month, LOS_ANGELES, "2026-03-01T08:00:00Z", "2026-04-01T07:00:00Z"),
            (month, LOS_ANGELES, "2026-11-01T07:00:00Z", "2026-12-01T08:00:00Z"),
            (day, LOS_ANGELES, "2028-02-29T08:00:00Z", "2028-03-01T08:00:00Z"),
            (day, "Europe/Berlin", "2027-03-27T23:00:00Z", "2027-03-28T22:00:00Z"),
            (day, "Europe/Berlin", "2027-10-30T22:00:00Z", "2027-10-31T23:00:00Z"),
            (month, "Europe/Berlin", "2028-01-31T23:00:00Z", "2028-02-29T23:00:00Z"),
            // No clock change, and half an hour off.
            (day, "Asia/Kolkata", "2026-11-21T18:30:00Z", "2026-11-22T18:30:00Z"),
            (month, "Asia/Kolkata", "2028-01-31T18:30:00Z", "2028-02-29T18:30:00Z"),
            // A clock that changes by half an hour, in the other half of the year.
            (day, "Australia/Lord_Howe", "2026-04-03T13:00:00Z", "2026-04-04T13:00:00Z"),
            (day, "Australia/Lord_Howe", "2026-04-04T13:00:00Z", "2026-04-05T13:30:00Z"),
            (day, "Australia/Lord_Howe", "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z"),
            (month, "Australia/Lord_Howe", "2026-09-30T13:30:00Z", "2026-10-31T13:00:00Z"),
        ];
        for (every, zone, from, turn) in midnight {
            check(every, Time::midnight(), zone, from, turn);
        }
    }

    /// 02:30 does not exist on the short day, and exists twice on the long one: it turns once, never before it was due.
    #[test]
    fn a_turn_within_a_clock_change_happens_once() {
        let half_past_two = Time::constant(2, 30, 0, 0);
        let cases = [
            ("America/Los_Angeles", "2026-03-07T10:30:00Z", "2026-03-08T10:30:00Z"),
            ("America/Los_Angeles", "2026-03-08T10:30:00Z", "2026-03-09T09:30:00Z"),
            ("Europe/Berlin", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z"),
            ("Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"),
        ];
        for (zone, from, turn) in cases {
            check(Period::Day, half_past_two, zone, from, turn);
        }
    }
}
