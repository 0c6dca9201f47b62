//! What strangers were refused, while the store takes nothing.

use crate::support::database::on_both_stores;
use crate::support::server::TestServer;
use portreeve::storage::Store;

on_both_stores! {
    async fn what_the_store_does_not_take_now_is_written_once_it_does(database: TestDatabase) {
        let server = TestServer::start(&database).await;
        for _ in 0..3 {
            let parameters = [("grant_type", "client_credentials"), ("client_id", "nobody-at-all")];
            assert!(server.post("/token", None, &parameters).await.status.is_client_error());
        }
        let (store, mut refusals) = (server.app.store.clone(), server.refusals.into_inner());
        let closed = Store::open(database.url(), 1).await.unwrap();
        closed.close().await;
        assert!(refusals.write(&closed).await.is_err());
        assert!(refusals.write(&closed).await.is_err());
        assert_eq!(refusals.write(&store).await, Ok(3));
        assert_eq!(refusals.write(&store).await, Ok(0));
        assert_eq!(database.number("SELECT COUNT(*) FROM refusals").await, 3);
    }
}
