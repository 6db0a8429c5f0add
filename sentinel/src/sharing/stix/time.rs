//! Timestamps of STIX 2.1: RFC 3339 in UTC, with `T` and `Z` in capitals.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{de, Deserialize, Deserializer, Serialize, Serializer};

use crate::sharing::error::SharingError;

const DAY: u64 = 86_400;
/// The last second of the year 9999.
const LAST: u64 = 253_402_300_799;

/// A time since 1970 and before the year 10000, to the nanosecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: u64,
    nanos: u32,
}

impl Timestamp {
    /// 1970.
    pub const ZERO: Self = Self { seconds: 0, nanos: 0 };

    /// From microseconds since 1970; what lies beyond the year 9999 becomes its end.
    pub fn from_micros(micros: u64) -> Self {
        let seconds = micros / 1_000_000;
        let nanos = (micros % 1_000_000) as u32 * 1_000;
        if seconds > LAST {
            return Self { seconds: LAST, nanos: 999_999_999 };
        }
        Self { seconds, nanos }
    }

    /// From seconds since 1970.
    pub fn from_seconds(seconds: u64) -> Self {
        Self { seconds: seconds.min(LAST), nanos: 0 }
    }

    /// Whole microseconds since 1970.
    pub fn micros(self) -> u64 {
        self.seconds * 1_000_000 + u64::from(self.nanos) / 1_000
    }

    /// Whole seconds since 1970.
    pub fn seconds(self) -> u64 {
        self.seconds
    }

    /// The system's time, to the microsecond.
    pub fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self::from_micros(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
    }

    /// With six digits of a second, as TAXII 2.1 wants it.
    pub fn taxii(self) -> String {
        format!("{}.{:06}Z", Seconds(self.seconds), self.nanos / 1_000)
    }
}

impl fmt::Display for Timestamp {
    /// As STIX 2.1 writes it: three digits of a second, or more where they are needed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = Seconds(self.seconds);
        if self.nanos.is_multiple_of(1_000_000) {
            write!(f, "{whole}.{:03}Z", self.nanos / 1_000_000)
        } else if self.nanos.is_multiple_of(1_000) {
            write!(f, "{whole}.{:06}Z", self.nanos / 1_000)
        } else {
            write!(f, "{whole}.{:09}Z", self.nanos)
        }
    }
}

/// Seconds as date and time of day.
struct Seconds(u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = date(self.0 / DAY);
        let (hour, minute, second) = (self.0 % DAY / 3_600, self.0 % 3_600 / 60, self.0 % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// Year, month and day of a day since 1970: eras of 400 years that begin in March.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let of_month = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + u64::from(month <= 2), month, of_month)
}

/// The day since 1970 of a date, whose year is 1970 or later.
fn day(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let month = if month > 2 { month - 3 } else { month + 9 };
    let of_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

fn days_of(year: u64, month: u64) -> u64 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 => 28 + u64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

impl FromStr for Timestamp {
    type Err = SharingError;

    fn from_str(text: &str) -> Result<Self, SharingError> {
        read(text).map_err(|why| {
            let shown: String = text.chars().take(40).collect();
            SharingError::malformed(format!("the time {shown:?}"), why)
        })
    }
}

fn read(text: &str) -> Result<Timestamp, &'static str> {
    const SHAPE: &str = "it must look like 2026-01-31T12:00:00.000Z";
    let bytes = text.as_bytes();
    let number = |from: usize, length: usize| -> Result<u64, &'static str> {
        let digits = bytes.get(from..from + length).ok_or(SHAPE)?;
        digits.iter().try_fold(0, |sum, digit| match digit {
            b'0'..=b'9' => Ok(sum * 10 + u64::from(digit - b'0')),
            _ => Err(SHAPE),
        })
    };
    for (at, expected) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        if bytes.get(at) != Some(&expected) {
            return Err(SHAPE);
        }
    }
    let (year, month, of_month) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let nanos = match bytes.get(19..) {
        Some(b"Z") => 0,
        Some([b'.', digits @ .., b'Z']) if (1..=9).contains(&digits.len()) => {
            number(20, digits.len())? * 10_u64.pow(9 - digits.len() as u32)
        }
        _ => return Err("it must end with at most nine digits of a second, and Z"),
    };
    if year < 1970 {
        return Err("it lies before 1970");
    }
    if !(1..=12).contains(&month) || of_month < 1 || of_month > days_of(year, month) {
        return Err("there is no such day");
    }
    if hour > 23 || minute > 59 || second > 59 {
        return Err("there is no such time of day; leap seconds are not taken");
    }
    let seconds = day(year, month, of_month) * DAY + hour * 3_600 + minute * 60 + second;
    Ok(Timestamp { seconds, nanos: nanos as u32 })
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, seconds, written) in [
            ("1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000Z"),
            ("2000-02-29T23:59:59.5Z", 951_868_799, "2000-02-29T23:59:59.500Z"),
            ("2026-11-27T04:10:25.123456Z", 1_795_752_625, "2026-11-27T04:10:25.123456Z"),
            ("2026-11-27T04:10:25.123456789Z", 1_795_752_625, "2026-11-27T04:10:25.123456789Z"),
            ("9999-12-31T23:59:59Z", LAST, "9999-12-31T23:59:59.000Z"),
        ] {
            let time: Timestamp = text.parse().unwrap();
            assert_eq!((time.seconds(), time.to_string().as_str()), (seconds, written));
        }
        let time: Timestamp = "2026-11-27T04:10:25.1Z".parse().unwrap();
        assert_eq!(time.taxii(), "2026-11-27T04:10:25.100000Z");
        assert_eq!(Timestamp::from_micros(time.micros()), time);
    }

    #[test]
    fn every_day_comes_back() {
        for days in (0..LAST / DAY).step_by(13) {
            let (year, month, of_month) = date(days);
            assert_eq!(day(year, month, of_month), days);
        }
    }

    #[test]
    fn other_formats_are_refused() {
        for bad in [
            "",
            "2026-11-27",
            "2026-11-27 04:10:25Z",
            "2026-11-27t04:10:25Z",
            "2026-11-27T04:10:25z",
            "2026-11-27T04:10:25",
            "2026-11-27T04:10:25+00:00",
            "2026-11-27T04:10:25.Z",
            "2026-11-27T04:10:25.1234567890Z",
            "2026-11-27T04:10:25.12 Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-27T24:00:00Z",
            "2026-11-27T23:59:60Z",
            "1969-12-31T23:59:59Z",
            "+026-11-27T04:10:25Z",
            "2026-11-27T04:10:25é",
        ] {
            assert!(bad.parse::<Timestamp>().is_err(), "{bad}");
        }
    }
}
