//! Dates as articles carry them, made comparable.

use std::ops::RangeInclusive;

/// Whether a string is a date as [articles](crate::Article::date) have it, in ISO 8601: `2024`, `2024-05-17`,
/// `2024-05-17T09:30:15+02:00` and the like. An article with another one is treated as if it had none.
///
/// ```
/// assert!(retold::is_date("2024-05-17T09:30Z"));
/// assert!(!retold::is_date("Fri, 17 May 2024 09:30:15 GMT") && !retold::is_date("2024-02-30"));
/// ```
pub fn is_date(date: &str) -> bool {
    seconds(date).is_some()
}

/// The second of an ISO 8601 date, counted from 1970 in UTC; none if it is no such date.
///
/// Takes `2024`, `2024-05`, `2024-05-17` and `20240517`, the last two with a time behind them (`T` or a space, `09:30`,
/// `09:30:15`, `093015`, fractions of a second are left out) and that with `Z` or `±hh:mm`. What is missing is the first it can be; a time without a
/// zone is UTC.
pub(crate) fn seconds(date: &str) -> Option<i64> {
    let mut rest = Reader(date.trim().as_bytes());
    let year = rest.digits(4)?;
    let dashed = rest.skip(b'-');
    let (mut month, mut day) = (1, 1);
    if !rest.0.is_empty() {
        month = rest.digits(2)?;
        if !(dashed && rest.0.is_empty()) {
            if dashed && !rest.skip(b'-') {
                return None;
            }
            day = rest.digits(2)?;
        }
    } else if dashed {
        return None;
    }
    if !(1..=12).contains(&month) || !(1..=days_of(year, month)).contains(&day) {
        return None;
    }
    let mut seconds = days_before(year, month, day) * 86_400;
    if rest.skip(b'T') || rest.skip(b't') || rest.skip(b' ') {
        seconds += rest.time()? - rest.offset()?;
    }
    rest.0.is_empty().then_some(seconds)
}

/// A second, counted from 1970 in UTC, as an ISO 8601 date.
pub(crate) fn shown(seconds: i64) -> String {
    let (mut days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // No later than the year that it is.
    let mut year = 1970 + days.div_euclid(365).min(days.div_euclid(366));
    while days >= days_before(year + 1, 1, 1) {
        year += 1;
    }
    days -= days_before(year, 1, 1);
    let mut month = 1;
    while days >= days_of(year, month) {
        days -= days_of(year, month);
        month += 1;
    }
    let day = days + 1;
    if second == 0 {
        return format!("{year:04}-{month:02}-{day:02}");
    }
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// Whether two dates, in seconds, lie so many seconds apart at most. No date is near to none.
pub(crate) fn are_within(seconds: u64, a: Option<i64>, b: Option<i64>) -> bool {
    a.zip(b).is_some_and(|(a, b)| a.abs_diff(b) <= seconds)
}

/// The dates, in seconds, that lie so near to one; there is none near to none.
pub(crate) fn within(seconds: u64, of: Option<i64>) -> RangeInclusive<i64> {
    of.map_or(RangeInclusive::new(1, 0), |of| of.saturating_sub_unsigned(seconds)..=of.saturating_add_unsigned(seconds))
}

/// What is left of a date to read.
struct Reader<'d>(&'d [u8]);

impl Reader<'_> {
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.0.split_at_checked(count)?;
        if !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        self.0 = rest;
        Some(digits.iter().fold(0, |number, digit| 10 * number + i64::from(digit - b'0')))
    }

    fn skip(&mut self, byte: u8) -> bool {
        let found = self.0.first() == Some(&byte);
        self.0 = &self.0[usize::from(found)..];
        found
    }

    fn time(&mut self) -> Option<i64> {
        let hours = self.digits(2)?;
        let colon = self.skip(b':');
        let minutes = self.digits(2)?;
        let has_seconds = if colon { self.skip(b':') } else { self.0.first().is_some_and(u8::is_ascii_digit) };
        let seconds = if has_seconds { self.digits(2)? } else { 0 };
        if has_seconds && (self.skip(b'.') || self.skip(b',')) {
            while self.digits(1).is_some() {}
        }
        // A leap second is the 60th.
        let is_time = hours < 24 && minutes < 60 && seconds <= 60 || (hours, minutes, seconds) == (24, 0, 0);
        is_time.then_some(hours * 3600 + minutes * 60 + seconds)
    }

    fn offset(&mut self) -> Option<i64> {
        let sign = match self.0.first() {
            Some(b'+') => 1,
            Some(b'-') => -1,
            _ => {
                let _ = self.skip(b'Z') || self.skip(b'z');
                return Some(0);
            }
        };
        self.0 = &self.0[1..];
        let hours = self.digits(2)?;
        self.skip(b':');
        let minutes = if self.0.is_empty() { 0 } else { self.digits(2)? };
        (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
    }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 => 28 + i64::from(is_leap(year)),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970 to a date, negative for those before.
fn days_before(year: i64, month: i64, day: i64) -> i64 {
    let past = year - 1;
    let years = 365 * past + past / 4 - past / 100 + past / 400;
    const BEFORE_1970: i64 = 365 * 1969 + 1969 / 4 - 1969 / 100 + 1969 / 400;
    let months: i64 = (1..month).map(|month| days_of(year, month)).sum();
    years - BEFORE_1970 + months + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_the_seconds_that_other_tools_give() {
        // `date --date … +%s` of GNU coreutils.
        let known = [
            ("1970-01-01", 0),
            ("1970", 0),
            ("2024-05", 1_714_521_600),
            ("20240517", 1_715_904_000),
            ("2024-05-17T09:30", 1_715_938_200),
            (" 2024-05-17 09:30:15.25Z ", 1_715_938_215),
            ("2024-05-17T093015+0200", 1_715_931_015),
            ("2024-05-17T09:30:15-05:30", 1_715_958_015),
            ("2024-05-16T24:00", 1_715_904_000),
            ("2000-02-29", 951_782_400),
            ("1899-12-31T23:59:59Z", -2_208_988_801),
        ];
        for (date, second) in known {
            assert_eq!(seconds(date), Some(second), "{date}");
            assert_eq!(seconds(&shown(second)), Some(second), "{date}");
        }
    }

    proptest! {
        #[test]
        fn a_date_that_is_shown_is_the_same_second(second in -62_135_596_800i64..253_402_300_800) {
            prop_assert_eq!(seconds(&shown(second)), Some(second));
        }
    }

    #[test]
    fn what_is_no_date_is_none() {
        for text in [
            "",
            "May 17, 2024",
            "17.05.2024",
            "2024-",
            "2024-13",
            "2024-05-17T24:59",
            "2024-05-17T09:30:15+99:99",
            "2023-02-29",
            "2024-5-7",
            "2024-05-17T",
            "2024-05-17T25:00",
            "2024-05-17 09:30 CET",
            "1715904000",
        ] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn later_days_are_later(a in 0i64..10_000 * 366, b in 0i64..10_000 * 366) {
            let day = |n: i64| format!("{:04}-{:02}-{:02}", n / 366, n % 366 / 31 + 1, n % 31 + 1);
            if let (Some(x), Some(y)) = (seconds(&day(a)), seconds(&day(b))) {
                prop_assert_eq!(day(a).cmp(&day(b)), x.cmp(&y));
            }
        }

        #[test]
        fn no_text_panics(text in ".{0,30}|[0-9T:+ .-]{0,30}") {
            seconds(&text);
        }
    }
}
