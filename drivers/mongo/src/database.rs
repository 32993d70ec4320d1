//! The collections of a database, and how documents are found and written in them.
//!
//! Everything that must not be half is one document, so nothing here needs a transaction.

use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mongodb::{
    Client, Collection, Database,
    bson::{Bson, Document, doc},
    options::{Acknowledgment, ClientOptions, ReadConcern, ReadPreference, SelectionCriteria, WriteConcern},
};
use serde::{Serialize, de::DeserializeOwned};
use store::StoreError;

use crate::error::{
    DUPLICATE_KEY, Failure, LONG_REQUEST_TIMEOUT, NotInserted, OpenError, hide, in_time, only_duplicates,
    within,
};

/// How long to look for a server that takes writes.
const SELECTION_TIMEOUT: Duration = Duration::from_secs(5);
/// How long to wait for a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The most connections of one store.
const MAX_CONNECTIONS: u32 = 16;
/// The most ids of one `$in`.
const MAX_IDS: usize = 1_000;
/// How many documents are looked up side by side where each is asked for alone.
const LOOKUPS: usize = 8;
/// The most writes of one command, and about the most bytes of their documents: a command may have 48 MB.
const MAX_WRITES: usize = 500;
/// The most where the server writes one after the other, each for itself: a command must end long before
/// [`REQUEST_TIMEOUT`](crate::error::REQUEST_TIMEOUT).
const MAX_WRITES_IN_TURN: usize = 50;
const MAX_WRITE_BYTES: usize = 8 * 1024 * 1024;

/// How the server treats what only MongoDB promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// It evaluates a filter and writes in one atomic step, and has indexes.
    MongoDb,
    /// It reads, decides and then writes, and finds documents quickly by nothing but their whole id. One process at a
    /// time applies the log, so nobody writes in between.
    FerretDb,
}

/// The database of one service.
#[derive(Clone)]
pub struct Place {
    /// The database.
    pub database: Database,
    /// What the server is.
    pub dialect: Dialect,
    /// Which database it is, without a password.
    pub name: String,
}

/// The collection of a table.
pub fn table_collection(table: &str) -> String {
    format!("row_{table}")
}

/// The collection of a topic's facts.
pub fn outbox(topic: bus::Topic) -> String {
    format!("outbox_{}", topic.name().replace('-', "_"))
}

/// The entries of the log.
pub const LOG: &str = "log";
/// Answers to idempotency keys.
pub const ANSWERS: &str = "answers";
/// How far consumers are.
pub const POSITIONS: &str = "positions";
/// Facts set aside.
pub const PARKED: &str = "parked";
/// What became of commits.
pub const COMMITS: &str = "commits";
/// What the database is, and how far outboxes were trimmed.
pub const META: &str = "meta";

impl Place {
    /// Connects. The URL's own concerns are overruled: each write is held by a majority before it is answered.
    pub async fn connect(url: &str) -> Result<Self, OpenError> {
        let mut options =
            ClientOptions::parse(url).await.map_err(|error| OpenError::Url(hide(&error.to_string(), url)))?;
        let hosts = options.hosts.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
        let Some(name) = options.default_database.clone() else { return Err(OpenError::NoDatabase(hosts)) };
        options.app_name.get_or_insert_with(|| "boxoffice".to_owned());
        options.write_concern = Some(majority());
        options.read_concern = Some(ReadConcern::majority());
        options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
        // A lost answer is settled by the log; sending it again blindly needs a replica set and tells no more.
        options.retry_writes = Some(false);
        options.retry_reads = Some(true);
        options.server_selection_timeout = Some(SELECTION_TIMEOUT);
        options.connect_timeout = Some(CONNECT_TIMEOUT);
        options.max_pool_size = Some(options.max_pool_size.unwrap_or(MAX_CONNECTIONS));
        let place = format!("the database {name:?} at {hosts}");
        let unusable = |why: String| OpenError::Unusable { place: place.clone(), why: hide(&why, url) };
        let client = Client::with_options(options).map_err(|error| unusable(error.to_string()))?;
        let info = in_time(async { client.database(&name).run_command(doc! { "buildInfo": 1 }).await }).await;
        let info = info.map_err(|failure| unusable(failure.to_string()))?;
        let is_ferret = info.contains_key("ferretdbVersion") || info.contains_key("ferretdb");
        let dialect = if is_ferret { Dialect::FerretDb } else { Dialect::MongoDb };
        Ok(Self { database: client.database(&name), dialect, name: place })
    }

    /// A collection of documents of a type.
    pub fn collection<T: Send + Sync>(&self, name: &str) -> Collection<T> {
        self.database.collection(name)
    }

    /// The document with an id.
    pub async fn by_id<T>(&self, collection: &str, id: &str) -> Result<Option<T>, Failure>
    where
        T: DeserializeOwned + Send + Sync,
    {
        let collection = self.collection::<T>(collection);
        in_time(async { collection.find_one(doc! { "_id": id }).await }).await
    }

    /// The documents with these ids, in no particular order, with these fields; none: with all.
    pub async fn by_ids<T>(
        &self,
        collection: &str,
        ids: &[&str],
        fields: Option<Document>,
    ) -> Result<Vec<T>, Failure>
    where
        T: DeserializeOwned + Send + Sync + Unpin,
    {
        let filters: Vec<Document> = match self.dialect {
            Dialect::MongoDb => ids.chunks(MAX_IDS).map(|some| doc! { "_id": { "$in": some } }).collect(),
            Dialect::FerretDb => ids.iter().map(|id| doc! { "_id": id }).collect(),
        };
        let lookups = filters.into_iter().map(|filter| self.find(collection, filter, fields.clone()));
        let found: Vec<Vec<T>> = stream::iter(lookups).buffer_unordered(LOOKUPS).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }

    /// Every document that a filter matches.
    pub async fn find<T>(
        &self,
        collection: &str,
        filter: Document,
        fields: Option<Document>,
    ) -> Result<Vec<T>, Failure>
    where
        T: DeserializeOwned + Send + Sync + Unpin,
    {
        let collection = self.collection::<T>(collection);
        let mut find = collection.find(filter);
        if let Some(fields) = fields {
            find = find.projection(fields);
        }
        in_time(async { find.await?.try_collect().await }).await
    }

    /// The first documents that a filter matches, in an order.
    pub async fn first<T>(
        &self,
        collection: &str,
        filter: Document,
        order: Document,
        most: usize,
        patience: Duration,
    ) -> Result<Vec<T>, Failure>
    where
        T: DeserializeOwned + Send + Sync + Unpin,
    {
        let collection = self.collection::<T>(collection);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        within(patience, async { collection.find(filter).sort(order).limit(most).await?.try_collect().await })
            .await
    }

    /// Inserts one document.
    pub async fn insert<T: Serialize + Send + Sync>(
        &self,
        collection: &str,
        document: &T,
    ) -> Result<(), NotInserted> {
        let collection = self.collection::<T>(collection);
        in_time(async { collection.insert_one(document).await }).await.map(drop).map_err(NotInserted::from)
    }

    /// Inserts documents, in no particular order; the places of those that were there already.
    pub async fn insert_all<T>(&self, collection: &str, documents: &[T]) -> Result<Vec<usize>, Failure>
    where
        T: Serialize + Send + Sync,
    {
        if documents.is_empty() {
            return Ok(Vec::new());
        }
        let collection = self.collection::<T>(collection);
        let inserted = in_time(async { collection.insert_many(documents).ordered(false).await }).await;
        inserted.map(|_| Vec::new()).or_else(only_duplicates)
    }

    /// Inserts documents in their order, passing over those that are there already.
    pub async fn insert_in_order<T>(&self, collection: &str, documents: &[T]) -> Result<(), Failure>
    where
        T: Serialize + Send + Sync,
    {
        let to = self.collection::<T>(collection);
        let mut rest = documents;
        while !rest.is_empty() {
            let Err(failure) = in_time(async { to.insert_many(rest).ordered(true).await }).await else {
                break;
            };
            // It stopped at the first that was there.
            let first = only_duplicates(failure)?.first().copied().unwrap_or_default();
            rest = &rest[(first + 1).min(rest.len())..];
        }
        Ok(())
    }

    /// Documents in parts that [`Place::replace`] takes at once.
    pub fn parts(&self, documents: Vec<Document>) -> Vec<Vec<Document>> {
        let most = match self.dialect {
            Dialect::MongoDb => MAX_WRITES,
            Dialect::FerretDb => MAX_WRITES_IN_TURN,
        };
        let (mut parts, mut bytes) = (Vec::<Vec<Document>>::new(), 0);
        for document in documents {
            bytes += document.get_str("state").map_or(0, str::len);
            match parts.last_mut() {
                Some(part) if part.len() < most && bytes <= MAX_WRITE_BYTES => part.push(document),
                _ => {
                    bytes = 0;
                    parts.push(vec![document]);
                }
            }
        }
        parts
    }

    /// Writes documents over those with their ids, or anew; but never over one of a later entry.
    pub async fn replace(&self, collection: &str, documents: Vec<Document>) -> Result<(), Failure> {
        let writes = documents.into_iter().map(|document| self.replacement(document)).collect();
        self.update(collection, writes).await
    }

    fn replacement(&self, document: Document) -> Document {
        let mut filter = Document::new();
        filter.insert("_id", document.get("_id").cloned().unwrap_or(Bson::Null));
        if self.dialect == Dialect::MongoDb {
            filter.insert("entry", doc! { "$lt": document.get("entry").cloned().unwrap_or(Bson::Null) });
        }
        doc! { "q": filter, "u": document, "upsert": true }
    }

    /// That a document of a later entry is there already shows as a duplicate key, and is as it should be. FerretDB does
    /// not go on after it, so then each write is sent alone.
    async fn update(&self, collection: &str, writes: Vec<Document>) -> Result<(), Failure> {
        if self.update_together(collection, &writes).await? == Updated::AllButDuplicates {
            for one in &writes {
                self.update_together(collection, std::slice::from_ref(one)).await?;
            }
        }
        Ok(())
    }

    async fn update_together(&self, collection: &str, updates: &[Document]) -> Result<Updated, Failure> {
        let command = doc! {
            "update": collection, "updates": updates, "ordered": false, "writeConcern": { "w": "majority" },
        };
        let answer = in_time(async { self.database.run_command(command).await }).await?;
        let errors = answer.get_array("writeErrors").map(Vec::as_slice).unwrap_or_default();
        let mut others = errors.iter().filter_map(Bson::as_document).filter(|error| !is_duplicate(error));
        if let Some(error) = others.next().or(answer.get_document("writeConcernError").ok()) {
            return Err(Failure::Refused(error.get_str("errmsg").unwrap_or("no reason given").to_owned()));
        }
        Ok(if errors.is_empty() { Updated::All } else { Updated::AllButDuplicates })
    }

    /// Deletes what a filter matches; how many.
    pub async fn delete(&self, collection: &str, filter: Document) -> Result<u64, StoreError> {
        let collection = self.collection::<Document>(collection);
        let deleted = within(LONG_REQUEST_TIMEOUT, async { collection.delete_many(filter).await }).await?;
        Ok(deleted.deleted_count)
    }
}

fn majority() -> WriteConcern {
    WriteConcern::builder().w(Acknowledgment::Majority).build()
}

fn is_duplicate(error: &Document) -> bool {
    error.get_i32("code").is_ok_and(|code| code == DUPLICATE_KEY)
}

/// What an update of several documents did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Updated {
    /// All.
    All,
    /// Some documents were there already.
    AllButDuplicates,
}
