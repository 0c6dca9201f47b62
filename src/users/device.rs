//! That a person has signed in on this device before: an authenticated cookie, set after a good sign-in and kept for a year. Whoever
//! brings it has a small budget of attempts of their own, so that strangers who guess never delay the person (threat 141, invariant
//! 33); it opens nothing. It says who the person is to this server only, and outlives sessions and their end, but no password: who
//! signed in with one that is another now is a stranger again (threat 140).

use crate::keys::derive::KeyedMac;
use crate::model::user::{PasswordHash, User};
use crate::protocol::identifiers::UserId;
use crate::protocol::timestamp::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::time::Duration;

/// How long a device is known after its last sign-in.
pub const DEVICE_LIFE: Duration = Duration::from_secs(365 * 86_400);
/// The characters of a cookie's value.
pub const DEVICE_COOKIE_LENGTH: usize = (ID + MOMENT + TAG) * 4 / 3 + 1;

const ID: usize = 16;
const MOMENT: usize = 8;
const TAG: usize = 32;

/// Whose device it is.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    /// The person.
    pub id: &'a UserId,
    /// What their password is known by.
    pub password: Option<&'a PasswordHash>,
}

impl<'a> From<&'a User> for Holder<'a> {
    fn from(user: &'a User) -> Self {
        Self { id: &user.id, password: user.password_hash.as_ref() }
    }
}

impl<'a> Holder<'a> {
    fn texts(self) -> (&'a str, &'a str) {
        (self.id.as_str(), self.password.map_or("", |hash| hash.0.as_str()))
    }
}

/// The value of the cookie that says so of `user`, from `now` on. A device that is known keeps its name, so that signing in gives it
/// no budget beside the one it has; another is named `fresh`.
pub fn attest(
    keys: &KeyedMac,
    cookie: Option<&str>,
    user: Holder<'_>,
    fresh: [u8; ID],
    now: Timestamp,
) -> String {
    let (person, password) = user.texts();
    let id = cookie.and_then(|cookie| read(keys, cookie, (person, password), now)).unwrap_or(fresh);
    let moment = now.millis().to_be_bytes();
    let tag = keys.mac(&[person.as_bytes(), password.as_bytes(), &id, &moment]);
    URL_SAFE_NO_PAD.encode([&id[..], &moment, &tag].concat())
}

/// The name of the device that `cookie` says `user` has signed in on. For nobody it is none, after the same work (threat 139).
pub fn recognise(keys: &KeyedMac, cookie: &str, user: Option<Holder<'_>>, now: Timestamp) -> Option<String> {
    let texts = user.map_or(("", ""), Holder::texts);
    read(keys, cookie, texts, now).map(|id| URL_SAFE_NO_PAD.encode(id))
}

fn read(keys: &KeyedMac, cookie: &str, (user, password): (&str, &str), now: Timestamp) -> Option<[u8; ID]> {
    let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let (id, rest) = bytes.split_first_chunk::<ID>()?;
    let (moment, tag) = rest.split_first_chunk::<MOMENT>()?;
    let genuine = keys.verify(&[user.as_bytes(), password.as_bytes(), id, moment], tag);
    let age = now.since(Timestamp::from_millis(i64::from_be_bytes(*moment)));
    (genuine && age < DEVICE_LIFE).then_some(*id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    /// A person of the tests, and what they are known by.
    struct Known(UserId, PasswordHash);

    impl Known {
        fn holder(&self) -> Holder<'_> {
            Holder { id: &self.0, password: Some(&self.1) }
        }
    }

    fn user(byte: u8) -> Known {
        Known(UserId::from_random([byte; 16]), PasswordHash("a hash".to_owned()))
    }

    #[test]
    fn a_device_is_known_for_its_person_its_key_and_a_year() {
        // threats 139, 141
        let keys = KeyedMac::new(&[1; 32], &[], "device");
        let cookie = attest(&keys, None, user(1).holder(), [7; 16], NOW);
        assert_eq!(cookie.len(), DEVICE_COOKIE_LENGTH);
        let id = recognise(&keys, &cookie, Some(user(1).holder()), NOW);
        assert_eq!(id, Some(URL_SAFE_NO_PAD.encode([7; 16])));
        for (keys, user, now) in [
            (&keys, Some(user(2)), NOW),
            (&keys, Some(Known(user(1).0, PasswordHash("another hash".to_owned()))), NOW),
            (&keys, None, NOW),
            (&keys, Some(user(1)), NOW.plus(DEVICE_LIFE)),
            (&KeyedMac::new(&[2; 32], &[], "device"), Some(user(1)), NOW),
            (&KeyedMac::new(&[1; 32], &[], "form"), Some(user(1)), NOW),
        ] {
            assert_eq!(recognise(keys, &cookie, user.as_ref().map(Known::holder), now), None);
        }
        let replaced = KeyedMac::new(&[2; 32], &[[1; 32]], "device");
        assert_eq!(recognise(&replaced, &cookie, Some(user(1).holder()), NOW), id);
        for wrong in ["", "x", &cookie[..70], &format!("{cookie}AAAA"), &cookie.replacen('B', "C", 1)] {
            assert_eq!(recognise(&keys, wrong, Some(user(1).holder()), NOW), None, "{wrong}");
        }
    }

    #[test]
    fn a_known_device_keeps_its_name_and_another_persons_does_not() {
        // threat 141: a sign-in must not renew the budget
        let keys = KeyedMac::new(&[1; 32], &[], "device");
        let name = |cookie: &str, user: &Known| recognise(&keys, cookie, Some(user.holder()), NOW);
        let first = attest(&keys, None, user(1).holder(), [7; 16], NOW);
        let again = attest(&keys, Some(&first), user(1).holder(), [8; 16], NOW);
        assert_eq!(name(&first, &user(1)), name(&again, &user(1)));
        let others = attest(&keys, Some(&again), user(2).holder(), [9; 16], NOW);
        assert_eq!(name(&others, &user(2)), Some(URL_SAFE_NO_PAD.encode([9; 16])));
    }
}
