//! The network, as a value that is passed in: names become addresses, and addresses connections. Tests pass one that lies.

use futures_util::future::BoxFuture;
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::{TcpStream, lookup_host};

/// Where names and connections come from.
pub trait Network: Send + Sync {
    /// Every address of a name.
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;

    /// A connection to an address.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Connection>>;
}

/// A connection, and who is at its other end.
pub struct Connection {
    /// The stream.
    pub stream: TcpStream,
    /// The other end.
    pub peer: SocketAddr,
}

/// The system's own network.
pub struct SystemNetwork;

impl Network for SystemNetwork {
    fn resolve(&self, name: String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(lookup_host((name, 0)).await?.map(|address| address.ip()).collect()) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Connection>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let peer = stream.peer_addr()?;
            Ok(Connection { stream, peer })
        })
    }
}
