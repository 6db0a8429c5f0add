//! What can be asked.

use reqwest::{Method, Url};
use serde_json::Value;

use super::sse::Events;
use super::transport::Client;
use crate::sharing::error::SharingError;
use crate::sharing::stix::{bundle, Timestamp};
use crate::sharing::taxii::{
    ApiRoot, CollectionResource, Collections, Discovery, Envelope, Manifest, Status, VersionList,
    ADDED_FIRST, ADDED_LAST,
};

/// What of a collection is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Filter {
    /// What was added after this time.
    pub added_after: Option<Timestamp>,
    /// How many at most.
    pub limit: Option<usize>,
    /// Where the page before ended, by its word.
    pub next: Option<String>,
    /// Objects; all if there are none.
    pub ids: Vec<String>,
    /// Kinds; all if there are none.
    pub types: Vec<String>,
    /// Versions: `all`, `first`, `last` or times; the last one if there are none.
    pub versions: Vec<String>,
}

impl Filter {
    fn put(&self, mut url: Url) -> Url {
        let Self { added_after, limit, next, ids, types, versions } = self;
        let lists = [("match[id]", ids), ("match[type]", types), ("match[version]", versions)];
        let lists = lists.into_iter().filter(|(_, list)| !list.is_empty());
        let lists = lists.map(|(name, list)| (name, list.join(",")));
        let single = [
            ("added_after", added_after.map(Timestamp::taxii)),
            ("limit", limit.map(|limit| limit.to_string())),
            ("next", next.clone()),
        ];
        let single = single.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let pairs: Vec<_> = single.chain(lists).collect();
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        url
    }
}

/// A page of objects.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ObjectPage {
    /// The objects, and whether there are more.
    pub envelope: Envelope,
    /// When the first of them was added.
    pub first: Option<Timestamp>,
    /// When the last of them was added.
    pub last: Option<Timestamp>,
}

/// All of these fail as [`SharingError`] says of peers.
impl Client {
    /// What the server has. It is asked at the root of its host, as the standard says.
    ///
    /// # Errors
    /// See above.
    pub async fn discovery(&self) -> Result<Discovery, SharingError> {
        let mut url = self.root.clone();
        url.set_path("/taxii2/");
        self.get(url).await
    }

    /// What the root is.
    ///
    /// # Errors
    /// See above.
    pub async fn root(&self) -> Result<ApiRoot, SharingError> {
        self.get(self.root.clone()).await
    }

    /// The collections.
    ///
    /// # Errors
    /// See above.
    pub async fn collections(&self) -> Result<Vec<CollectionResource>, SharingError> {
        let Collections { collections } = self.get(self.at(&["collections"])?).await?;
        Ok(collections)
    }

    /// A collection.
    ///
    /// # Errors
    /// See above.
    pub async fn collection(&self, id: &str) -> Result<CollectionResource, SharingError> {
        self.get(self.at(&["collections", id])?).await
    }

    /// Objects.
    ///
    /// # Errors
    /// See above.
    pub async fn objects(
        &self,
        collection: &str,
        filter: &Filter,
    ) -> Result<ObjectPage, SharingError> {
        self.page(filter.put(self.at(&["collections", collection, "objects"])?)).await
    }

    /// An object.
    ///
    /// # Errors
    /// See above.
    pub async fn object(
        &self,
        collection: &str,
        id: &str,
        filter: &Filter,
    ) -> Result<ObjectPage, SharingError> {
        self.page(filter.put(self.at(&["collections", collection, "objects", id])?)).await
    }

    async fn page(&self, url: Url) -> Result<ObjectPage, SharingError> {
        let (bytes, headers) = self.ask(Method::GET, url.clone(), None).await?;
        let read = bundle::envelope(&bytes).map_err(|e| self.strange(&url, &e))?;
        let (objects, rest) = read;
        let rest: Envelope =
            serde_json::from_value(Value::Object(rest)).map_err(|e| self.strange(&url, &e))?;
        let time = |name: &str| headers.get(name)?.to_str().ok()?.parse().ok();
        let (first, last) = (time(ADDED_FIRST), time(ADDED_LAST));
        Ok(ObjectPage { envelope: Envelope { objects, ..rest }, first, last })
    }

    /// What is known of objects without the objects.
    ///
    /// # Errors
    /// See above.
    pub async fn manifest(
        &self,
        collection: &str,
        filter: &Filter,
    ) -> Result<Manifest, SharingError> {
        self.get(filter.put(self.at(&["collections", collection, "manifest"])?)).await
    }

    /// The versions of an object.
    ///
    /// # Errors
    /// See above.
    pub async fn versions(&self, collection: &str, id: &str) -> Result<VersionList, SharingError> {
        self.get(self.at(&["collections", collection, "objects", id, "versions"])?).await
    }

    /// Adds objects.
    ///
    /// # Errors
    /// See above; what became of each object is in the answer.
    pub async fn add(&self, collection: &str, objects: Vec<Value>) -> Result<Status, SharingError> {
        let url = self.at(&["collections", collection, "objects"])?;
        let envelope = Envelope { objects, ..Envelope::default() };
        let body =
            serde_json::to_vec(&envelope).map_err(|e| SharingError::malformed("objects", e))?;
        let (bytes, _) = self.ask(Method::POST, url.clone(), Some(body)).await?;
        let status: Status = self.parsed(&url, &bytes)?;
        let Status { total_count, success_count, failure_count, pending_count, .. } = status;
        let sum =
            success_count.checked_add(failure_count).and_then(|n| n.checked_add(pending_count));
        if sum != Some(total_count) {
            return Err(self.strange(&url, &"its counts do not add up"));
        }
        Ok(status)
    }

    /// What became of objects that were added.
    ///
    /// # Errors
    /// See above.
    pub async fn status(&self, id: &str) -> Result<Status, SharingError> {
        self.get(self.at(&["status", id])?).await
    }

    /// Deletes an object with all its versions.
    ///
    /// # Errors
    /// See above.
    pub async fn delete(&self, collection: &str, id: &str) -> Result<(), SharingError> {
        let mut url = self.at(&["collections", collection, "objects", id])?;
        url.query_pairs_mut().append_pair("match[version]", "all");
        self.ask(Method::DELETE, url, None).await.map(drop)
    }

    /// What is added after a time, as it is added. TAXII has no such thing: a server of another kind
    /// refuses it.
    ///
    /// # Errors
    /// See above.
    pub async fn stream(&self, collection: &str, after: Timestamp) -> Result<Events, SharingError> {
        let mut url = self.at(&["collections", collection, "stream"])?;
        url.query_pairs_mut().append_pair("added_after", &after.taxii());
        let response = self.open(&url).await?;
        Ok(Events::new(self.clone(), url, response))
    }
}
