//! What a request asks for.

use std::collections::HashMap;

use super::fault::Fault;
use crate::sharing::stix::{Id, Timestamp};
use crate::sharing::store::{Query, Versions};

/// Values of a filter at most.
const MOST_VALUES: usize = 100;

/// The parameters of a request's query.
pub(super) type Parameters = Vec<(String, String)>;

/// Which filters a route knows. What it does not know, it does not look at.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Objects and the manifest: all of them.
    Collection,
    /// One object: not its identifier and kind.
    Object,
    /// The versions of an object: none that chooses among them.
    Versions,
}

/// Reads the query of a request. `page` is the size of a page.
pub(super) fn query(parameters: Parameters, route: Route, page: usize) -> Result<Query, Fault> {
    let mut said = HashMap::new();
    for (name, value) in parameters {
        if said.contains_key(&name) {
            return Err(Fault::bad(format!(
                "{name:?} is there twice; its values go in one, with commas"
            )));
        }
        said.insert(name, value);
    }
    let text = |name: &str| said.get(name).map(String::as_str);
    let time = |name: &str| -> Result<Option<Timestamp>, Fault> {
        text(name).map(|value| value.parse().map_err(Fault::body)).transpose()
    };
    let limit = match text("limit").map(str::parse::<usize>) {
        None => page,
        Some(Ok(limit)) if limit > 0 => limit.min(page),
        Some(_) => return Err(Fault::bad("limit must be a whole number above nought")),
    };
    let next =
        text("next").map(|next| read_next(next).ok_or_else(|| Fault::bad("next is none of ours")));
    let added_after = time("added_after")?.max(next.transpose()?);
    let list = |name: &str| -> Result<Option<Vec<&str>>, Fault> {
        let values: Option<Vec<_>> =
            text(name).map(|value| value.split(',').map(str::trim).collect());
        match values {
            Some(values) if values.len() > MOST_VALUES => {
                Err(Fault::bad(format!("{name} has more than {MOST_VALUES} values")))
            }
            other => Ok(other),
        }
    };
    let (mut ids, mut types) = (None, None);
    if route == Route::Collection {
        // An identifier that is none matches nothing.
        let read =
            |ids: Vec<&str>| ids.into_iter().filter_map(|id| id.parse::<Id>().ok()).collect();
        ids = list("match[id]")?.map(read);
        types = list("match[type]")?.map(|types| types.into_iter().map(str::to_owned).collect());
    }
    let versions = match list("match[version]")? {
        _ if route == Route::Versions => Versions::ALL,
        None => Versions::LAST,
        Some(values) => versions(values)?,
    };
    let spec = list("match[spec_version]")?;
    let stix_2_1 = spec.is_none_or(|versions| versions.contains(&"2.1"));
    Ok(Query { added_after, ids, types, versions, stix_2_1, limit })
}

fn versions(values: Vec<&str>) -> Result<Versions, Fault> {
    let mut versions = Versions { last: false, ..Versions::LAST };
    for value in values {
        match value {
            "all" => versions.all = true,
            "first" => versions.first = true,
            "last" => versions.last = true,
            time => versions.exact.push(time.parse().map_err(Fault::body)?),
        }
    }
    Ok(versions)
}

/// What to ask for after something that was added at a time. No two things are added at one time, so
/// nothing is left out and nothing comes twice.
pub(super) fn next(after: Timestamp) -> String {
    format!("a{}", after.micros())
}

fn read_next(next: &str) -> Option<Timestamp> {
    let micros = next.strip_prefix('a')?;
    micros.parse().ok().map(Timestamp::from_micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)], route: Route) -> Result<Query, Fault> {
        let pairs = pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        query(pairs, route, 50)
    }

    #[test]
    fn filters_are_read() {
        let plain = read(&[], Route::Collection).unwrap();
        assert_eq!((plain.versions, plain.limit, plain.added_after), (Versions::LAST, 50, None));
        let id = "indicator--8e2e2d2b-17d4-4cbf-938f-98ee46b3cd3f";
        let full = read(
            &[
                ("added_after", "2026-01-01T00:00:00Z"),
                ("limit", "7"),
                ("match[id]", &format!("{id},nonsense")),
                ("match[type]", "indicator,sighting"),
                ("match[version]", "first,2026-01-01T00:00:00.5Z"),
                ("match[spec_version]", "2.0"),
                ("x-other", "1"),
            ],
            Route::Collection,
        );
        let full = full.unwrap();
        assert_eq!(full.ids.unwrap(), [id.parse().unwrap()]);
        assert_eq!(full.types.unwrap(), ["indicator", "sighting"]);
        assert!(full.versions.first && !full.versions.last && full.versions.exact.len() == 1);
        assert!(full.limit == 7 && !full.stix_2_1);
        let one = read(&[("match[type]", "x"), ("limit", "1000")], Route::Object).unwrap();
        assert!(one.types.is_none() && one.limit == 50);
        let all = read(&[("match[version]", "last")], Route::Versions).unwrap();
        assert_eq!(all.versions, Versions::ALL);
        let time = Timestamp::from_micros(1_800_000_000_000_001);
        let later =
            read(&[("next", &next(time)), ("added_after", "2026-01-01T00:00:00Z")], Route::Object);
        assert_eq!(later.unwrap().added_after, Some(time));
    }

    #[test]
    fn nonsense_is_refused() {
        for bad in [
            ("limit", "0"),
            ("limit", "-1"),
            ("limit", "x"),
            ("limit", ""),
            ("next", "1"),
            ("next", "aa"),
            ("added_after", "yesterday"),
            ("match[version]", "newest"),
        ] {
            assert!(read(&[bad], Route::Collection).is_err(), "{bad:?}");
        }
        assert!(read(&[("limit", "1"), ("limit", "2")], Route::Collection).is_err());
        let many = "x,".repeat(100);
        assert!(read(&[("match[type]", &many)], Route::Collection).is_err());
    }
}
