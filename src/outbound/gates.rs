//! How many requests are under way: in all, to one host, and to one address, so that no host that answers slowly, and no
//! address with many names, keeps the others from being asked (threats 90, 94; F-33).

use super::error::OutboundError;
use super::{Authority, Limits};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

/// The gates; a request passes three of them.
pub(super) struct Gates {
    all: Arc<Semaphore>,
    lookups: Arc<Semaphore>,
    each: Arc<Mutex<HashMap<Key, Arc<Semaphore>>>>,
    limits: Limits,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Host(Authority),
    /// Of IPv6 the network: whoever has one address of it has all.
    Address(IpAddr),
}

/// A place behind the gate of a host or an address; dropped, it is free for the next.
pub(super) struct Place {
    each: Arc<Mutex<HashMap<Key, Arc<Semaphore>>>>,
    key: Key,
    permit: Option<OwnedSemaphorePermit>,
}

impl Gates {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            all: Arc::new(Semaphore::new(limits.requests)),
            lookups: Arc::new(Semaphore::new(limits.requests)),
            each: Arc::default(),
            limits: *limits,
        }
    }

    /// Waits for a place among the requests to one host.
    pub(super) async fn enter_host(&self, authority: &Authority) -> Result<Place, OutboundError> {
        self.enter(Key::Host(authority.clone()), self.limits.requests_per_host).await
    }

    /// Waits for a place among the requests to the address that stands for `addresses`, then for one among all.
    pub(super) async fn enter_address(
        &self,
        addresses: &[IpAddr],
    ) -> Result<(Place, OwnedSemaphorePermit), OutboundError> {
        // The least one: servers of names shuffle their answers.
        let least = addresses.iter().min().ok_or_else(|| OutboundError::NotResolved("no address".into()))?;
        let place = self.enter(Key::Address(network_of(*least)), self.limits.requests_per_address).await?;
        Ok((place, wait(&self.all, self.limits.waiting).await?))
    }

    /// Waits for a place among the look-ups. Whoever looks up keeps it to the end: a look-up of the system's cannot be stopped.
    pub(super) async fn enter_lookup(&self) -> Result<OwnedSemaphorePermit, OutboundError> {
        wait(&self.lookups, self.limits.waiting).await
    }

    async fn enter(&self, key: Key, most: usize) -> Result<Place, OutboundError> {
        let gate = {
            let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
            each.entry(key.clone()).or_insert_with(|| Arc::new(Semaphore::new(most))).clone()
        };
        // Made before the wait, so that one that is given up tidies as well.
        let mut place = Place { each: self.each.clone(), key, permit: None };
        place.permit = Some(wait(&gate, self.limits.waiting).await?);
        Ok(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(self.permit.take());
        let mut each = self.each.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody else holds or waits for a place: whoever does has the gate in hand.
        if each.get(&self.key).is_some_and(|gate| Arc::strong_count(gate) == 1) {
            each.remove(&self.key);
        }
    }
}

async fn wait(gate: &Arc<Semaphore>, patience: Duration) -> Result<OwnedSemaphorePermit, OutboundError> {
    match timeout(patience, gate.clone().acquire_owned()).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(OutboundError::Busy),
    }
}

fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => std::net::Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gates() -> Gates {
        let waiting = Duration::from_millis(10);
        Gates::new(&Limits {
            waiting,
            requests: 3,
            requests_per_host: 1,
            requests_per_address: 2,
            ..Limits::default()
        })
    }

    fn held(gates: &Gates) -> usize {
        gates.each.lock().expect("whole").len()
    }

    #[tokio::test]
    async fn a_gate_that_nobody_uses_is_forgotten() {
        let gates = gates();
        let authority = Authority::parse("app.example:443").expect("valid");
        let place = gates.enter_host(&authority).await.expect("free");
        assert_eq!(gates.enter_host(&authority).await.err(), Some(OutboundError::Busy));
        assert_eq!(held(&gates), 1, "one that gave up does not open the gate to the others");
        assert_eq!(gates.enter_host(&authority).await.err(), Some(OutboundError::Busy));
        drop(place);
        assert_eq!(held(&gates), 0);
        assert!(gates.enter_host(&authority).await.is_ok());
    }

    // threat 94
    #[tokio::test]
    async fn one_address_takes_no_more_than_its_part() {
        let gates = gates();
        let addresses = ["2606:4700::1", "2606:4700::2", "2606:4700::3"]
            .map(|text| text.parse::<IpAddr>().expect("valid"));
        let _first = gates.enter_address(&addresses[..1]).await.expect("free");
        let _second = gates.enter_address(&addresses[1..]).await.expect("free");
        assert!(gates.enter_address(&addresses[2..]).await.is_err(), "one network, many addresses");
        let other = ["8.8.8.8".parse().expect("valid")];
        let _third = gates.enter_address(&other).await.expect("free");
        assert!(gates.enter_address(&other).await.is_err(), "three are the most");
    }
}
