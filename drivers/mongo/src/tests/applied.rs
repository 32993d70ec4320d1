//! The conformance suite on what is applied: in the way in which FerretDB is spoken to, and in that for MongoDB, which
//! FerretDB understands too.

use store::conformance;

use super::*;

/// A store whose commits are applied before they are answered, so that its reads find everything in the collections.
struct Applied(Suite);

impl Applied {
    async fn applied(&self) {
        self.0.journal.flush().await.unwrap();
        assert!(!self.0.journal.tail().has_work(), "all is applied");
    }
}

#[async_trait]
impl Store<SuiteRow> for Applied {
    async fn load(&self, keys: &[Key], answers: &[AnswerKey]) -> Result<Loaded<SuiteRow>, StoreError> {
        self.0.load(keys, answers).await
    }
    async fn query(&self, query: &Query) -> Result<Vec<Versioned<SuiteRow>>, StoreError> {
        self.0.query(query).await
    }
    async fn commit(&self, commit: Commit<SuiteRow>) -> Result<(), CommitError> {
        let committed = self.0.commit(commit).await;
        self.applied().await;
        committed
    }
    async fn settle(&self, id: CommitId) -> Result<Settled, StoreError> {
        let settled = self.0.settle(id).await;
        self.applied().await;
        settled
    }
    async fn position(&self, partition: &Partition) -> Result<Position, StoreError> {
        self.0.position(partition).await
    }
    async fn parked(&self) -> Result<Vec<Parked>, StoreError> {
        self.0.parked().await
    }
    async fn prune(&self, before_us: i64) -> Result<u64, StoreError> {
        self.0.prune(before_us).await
    }
    async fn trim(&self, topic: Topic, up_to: Position, before_us: i64) -> Result<u64, StoreError> {
        self.0.trim(topic, up_to, before_us).await
    }
}

#[async_trait]
impl Log for Applied {
    fn partitions(&self, topic: Topic) -> Vec<Partition> {
        self.0.partitions(topic)
    }
    async fn read(&self, partition: &Partition, after: Position, most: usize) -> Result<Batch, LogError> {
        self.0.read(partition, after, most).await
    }
    async fn wait(&self, partition: &Partition, after: Position) -> Result<(), LogError> {
        self.0.wait(partition, after).await
    }
}

async fn conforms_when_applied(dialect: Dialect) {
    let Some(server) = Server::start() else { return };
    conformance::run(|| async {
        let store = Arc::new(Applied(open(&server.migrated().await, dialect).await));
        (Arc::clone(&store) as Arc<dyn Store<SuiteRow>>, store as Arc<dyn Log>)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_applied_conforms() {
    conforms_when_applied(Dialect::FerretDb).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_applied_conforms_as_mongodb_is_spoken_to() {
    conforms_when_applied(Dialect::MongoDb).await;
}
