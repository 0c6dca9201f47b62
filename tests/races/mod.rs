//! Barrier-started duplicates, on both stores and on two replicas: what must happen once happens once, and what may happen
//! often happens alike, in any interleaving (security.md §0.1).

mod assertions;
mod codes;
mod consents;
mod people;
mod pushed_requests;
mod refreshes;
mod replicas;
mod revocations;
mod sign_ins;

use crate::support::server::TestServer;
use std::sync::Arc;
use tokio::sync::Barrier;

/// How many start at once.
const CROWD: usize = 64;

/// Runs `work` as many times as `crowd` says, started together, and yields every outcome.
pub async fn together<T, F>(crowd: usize, work: impl Fn(usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(crowd));
    let start = |number| {
        let (barrier, work) = (barrier.clone(), work(number));
        tokio::spawn(async move {
            barrier.wait().await;
            work.await
        })
    };
    let running: Vec<_> = (0..crowd).map(start).collect();
    let mut outcomes = Vec::with_capacity(crowd);
    for task in running {
        outcomes.push(task.await.expect("no task panics"));
    }
    outcomes
}

/// A server, and where the database allows it a second replica of it.
async fn two_replicas(first: TestServer) -> Vec<Arc<TestServer>> {
    let second = first.replica().await;
    vec![Arc::new(first), Arc::new(second)]
}

/// Runs a body over servers as `sqlite`, `postgres` and `two_replicas` (on PostgreSQL).
macro_rules! on_every_fleet {
    ($($(#[$attribute:meta])* async fn $name:ident($servers:ident: Fleet) $body:block)+) => {$(
        $(#[$attribute])*
        mod $name {
            #[allow(unused_imports)] // a body may need nothing from around it
            use super::*;
            use $crate::support::database::TestDatabase;

            async fn body($servers: &[std::sync::Arc<$crate::support::server::TestServer>]) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                let database = TestDatabase::sqlite();
                body(&[std::sync::Arc::new($crate::support::server::TestServer::start(&database).await)]).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                let database = TestDatabase::postgres().await;
                body(&[std::sync::Arc::new($crate::support::server::TestServer::start(&database).await)]).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn two_replicas() {
                let database = TestDatabase::postgres().await;
                let server = $crate::support::server::TestServer::start(&database).await;
                body(&$crate::races::two_replicas(server).await).await;
            }
        }
    )+};
}
pub(crate) use on_every_fleet;
