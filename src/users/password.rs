//! Passwords: argon2id (RFC 9106), a bounded number at once, the same work whoever asks.
//!
//! A hash takes 19 MiB and a core for some 20 ms, so what is dear is rationed: so many at once as there are cores (four at
//! most), each in a block buffer that is kept for the next, a bounded queue, and [`PasswordError::Busy`] beyond (threat 144). An unknown
//! person, one without a password, an empty, overlong or disallowed password and an unreadable stored hash all cost what a wrong
//! password costs, and end the same (threats 139, 145). Hashes that were imported may be dearer or cheaper than our own; so that
//! nobody can tell by the time whose is which, or nobody's, every check of a person's password costs what the dearest one in use
//! costs ([`PasswordHasher::set_dearest`]). Cheaper ones are let in, as they are replaced at the next sign-in. Passwords are prepared by PRECIS OpaqueString (RFC 8265 §4.2), so
//! that every keyboard's spelling of `é` is the same.
//!
//! A caller that goes away leaves its hash running to the end: permit and buffer go with the work, never with the caller. Whether
//! an attempt may be made at all is `throttle`'s; who may sign in, `lifecycle`'s and `storage`'s.

use crate::clients::authentication::{ChosenSecrets, UncheckedSecret};
use crate::model::entropy::SharedEntropy;
use crate::model::password_hash::{Cost, OUTPUT_BYTES, SALT_BYTES, StoredHash, UnusableHash};
use crate::model::secret::{Secret, constant_time_eq};
use crate::model::username::CanonicalUsername;
use argon2::Block;
use futures_util::future::BoxFuture;
use precis_profiles::OpaqueString;
use precis_profiles::precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::precis_core::{DerivedPropertyValue, FreeformClass, StringClass as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Hashes and verifies passwords; clones share permits, buffers and queue.
#[derive(Clone)]
pub struct PasswordHasher {
    shared: Arc<Shared>,
}

/// How much may go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashingLimits {
    /// Hashes at once; each keeps 19 MiB.
    pub at_once: usize,
    /// Callers that may wait for one of them.
    pub waiting: usize,
}

/// What a password proved to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PasswordVerdict {
    /// The stored one.
    Right,
    /// The stored one, hashed with less work than is asked for now: hash it anew and store that (threat 145).
    RightButWeak,
    /// Anything else.
    Wrong,
}

/// Why there is no hash or verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Too many wait already: 503 with `Retry-After`.
    #[error("too many passwords are being checked")]
    Busy {
        /// When to try again.
        retry_after: Duration,
    },
    /// Fewer than [`MIN_PASSWORD_CHARS`] characters.
    #[error("a password has at least {MIN_PASSWORD_CHARS} characters")]
    TooShort,
    /// More than [`MAX_PASSWORD_BYTES`] bytes.
    #[error("a password has at most {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// A control or otherwise disallowed character (RFC 8264 §9.11).
    #[error("the password holds a character that cannot be typed reliably (RFC 8265 §4.2)")]
    Disallowed,
    /// The username itself.
    #[error("the password is the username")]
    SameAsUsername,
    /// The one before.
    #[error("the new password is the old one")]
    SameAsBefore,
    /// Not a hash that this server verifies.
    #[error(transparent)]
    UnusableHash(#[from] UnusableHash),
    /// The work could not be done: memory is short, or the server is stopping.
    #[error("the password could not be hashed")]
    Failed,
}

impl HashingLimits {
    /// As many as the machine has cores, four at most; 64 may wait.
    pub fn of_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { at_once: cores.min(4), waiting: 64 }
    }
}

impl PasswordHasher {
    /// A hasher with the limits of this machine; salts come from `entropy`.
    pub fn new(entropy: SharedEntropy) -> Self {
        Self::with_limits(entropy, HashingLimits::of_this_machine())
    }

    /// A hasher with other limits.
    pub fn with_limits(entropy: SharedEntropy, limits: HashingLimits) -> Self {
        // What nobody's password is compared with: no password is known for it, nor would one help.
        let dummy = StoredHash {
            cost: Cost::CURRENT,
            salt: entropy.bytes::<SALT_BYTES>().to_vec(),
            output: entropy.bytes::<OUTPUT_BYTES>().to_vec(),
        };
        Self {
            shared: Arc::new(Shared {
                permits: Arc::new(Semaphore::new(limits.at_once.max(1))),
                oversize: Arc::new(Semaphore::new(1)),
                buffers: Mutex::new(Vec::new()),
                waiting: AtomicUsize::new(0),
                dearest: Mutex::new(dummy.cost),
                limits,
                dummy,
                entropy,
            }),
        }
    }

    /// The PHC string to store for `password`.
    ///
    /// # Errors
    /// `TooShort` when empty (the rules for new passwords are [`check_new_password`]'s), `TooLong`, `Disallowed`, `Busy`, `Failed`.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        let password = prepare(&password)?;
        let salt = self.shared.entropy.bytes::<SALT_BYTES>();
        self.run(Cost::CURRENT, move |blocks| {
            let mut output = [0; OUTPUT_BYTES];
            let filled = Cost::CURRENT.fill(password.as_bytes(), &salt, &mut output, blocks);
            filled.map_err(|_| PasswordError::Failed)?;
            StoredHash { cost: Cost::CURRENT, salt: salt.to_vec(), output: output.to_vec() }
                .to_phc()
                .ok_or(PasswordError::Failed)
        })
        .await?
    }

    /// Tells the PHC strings that are in use, at least one of each cost: from now on every check takes what the dearest of them takes.
    pub fn set_dearest<'a>(&self, in_use: impl Iterator<Item = &'a str>) {
        let costs = in_use.filter_map(|phc| StoredHash::parse(phc).ok()).map(|stored| stored.cost);
        *self.shared.dearest() = costs.fold(Cost::CURRENT, dearer);
    }

    /// Compares `password` with the PHC string that is stored for a person; `None`, for nobody or someone without a password, takes the
    /// same work and is always wrong.
    ///
    /// # Errors
    /// `Busy` and `Failed` only, neither of which depends on password or person.
    pub async fn verify(
        &self,
        password: Secret,
        stored: Option<&str>,
    ) -> Result<PasswordVerdict, PasswordError> {
        let stored = stored.and_then(read);
        let dearest = {
            let mut dearest = self.shared.dearest();
            *dearest = stored.as_ref().map_or(*dearest, |stored| dearer(*dearest, stored.cost));
            *dearest
        };
        self.compare(password, stored, dearest).await
    }

    /// Compares, with as much work as `least` takes.
    async fn compare(
        &self,
        password: Secret,
        stored: Option<StoredHash>,
        least: Cost,
    ) -> Result<PasswordVerdict, PasswordError> {
        let known = stored.is_some();
        let salt = self.shared.dummy.salt.clone();
        let stored = stored.unwrap_or_else(|| StoredHash { cost: least, ..self.shared.dummy.clone() });
        let (password, admissible) = match prepare(&password) {
            Ok(password) => (password, true),
            Err(_) => (Zeroizing::new(String::new()), false),
        };
        // Whatever takes more memory takes turns, so all of them have to when one may.
        let room = Cost { memory_kib: stored.cost.memory_kib.max(least.memory_kib), ..least };
        self.run(room, move |blocks| {
            let mut output = Zeroizing::new(vec![0; stored.output.len()]);
            let filled = stored.cost.fill(password.as_bytes(), &stored.salt, &mut output, blocks);
            filled.map_err(|_| PasswordError::Failed)?;
            let equal = constant_time_eq(&output, &stored.output);
            if let Some(rest) = stored.cost.missing_to(least) {
                let filled = rest.fill(password.as_bytes(), &salt, &mut output, blocks);
                filled.map_err(|_| PasswordError::Failed)?;
            }
            Ok(match known && admissible && equal {
                false => PasswordVerdict::Wrong,
                true if stored.is_weak() => PasswordVerdict::RightButWeak,
                true => PasswordVerdict::Right,
            })
        })
        .await?
    }

    /// Callers that wait for a permit now, for the metrics.
    pub fn waiting(&self) -> usize {
        self.shared.waiting.load(Ordering::Relaxed)
    }

    /// Runs `work` on a thread where it may block, with the blocks that `cost` asks for, when it is its turn.
    async fn run<T: Send + 'static>(
        &self,
        cost: Cost,
        work: impl FnOnce(&mut [Block]) -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let at_once = match cost.is_oversize() {
            true => None,
            false => Arc::clone(&self.shared.permits).try_acquire_owned().ok(),
        };
        let permits = match at_once {
            Some(permit) => (permit, None),
            None => self.wait_for_turn(cost).await?,
        };
        let shared = Arc::clone(&self.shared);
        let work = move || {
            let mut turn = Turn::begin(shared, permits, cost)?;
            Ok(work(&mut turn.blocks))
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| PasswordError::Failed)?
    }

    async fn wait_for_turn(&self, cost: Cost) -> Result<Permits, PasswordError> {
        let _place = Place::take(&self.shared)?;
        let stopped = |_| PasswordError::Failed;
        // Imported hashes may want 256 MiB each: one of these at a time, and it queues for that before it takes a permit.
        let oversize = match cost.is_oversize() {
            true => Some(Arc::clone(&self.shared.oversize).acquire_owned().await.map_err(stopped)?),
            false => None,
        };
        let permit = Arc::clone(&self.shared.permits).acquire_owned().await.map_err(stopped)?;
        Ok((permit, oversize))
    }
}

/// Whether a person may choose `password`: at least [`MIN_PASSWORD_CHARS`] characters, and not the username (NIST SP 800-63B §5.1.1.2).
///
/// # Errors
/// `TooShort`, `TooLong`, `Disallowed` or `SameAsUsername`.
pub fn check_new_password(password: &Secret, username: &CanonicalUsername) -> Result<(), PasswordError> {
    let prepared = prepare(password)?;
    if prepared.chars().count() < MIN_PASSWORD_CHARS {
        return Err(PasswordError::TooShort);
    }
    if CanonicalUsername::parse(prepared.trim()).is_ok_and(|name| name == *username) {
        return Err(PasswordError::SameAsUsername);
    }
    Ok(())
}

/// Whether `new` is another password than `old`, however either was typed.
///
/// # Errors
/// `SameAsBefore`.
pub fn check_is_another(new: &Secret, old: &Secret) -> Result<(), PasswordError> {
    match (prepare(new), prepare(old)) {
        (Ok(new), Ok(old)) if constant_time_eq(new.as_bytes(), old.as_bytes()) => {
            Err(PasswordError::SameAsBefore)
        }
        _ => Ok(()),
    }
}

/// Whether a PHC string that comes from outside can be verified here within bounds (threats 144, 145); they are
/// [`StoredHash::parse`]'s.
///
/// # Errors
/// `UnusableHash` with what is wrong.
pub fn check_phc(phc: &str) -> Result<(), PasswordError> {
    Ok(StoredHash::parse(phc).map(drop)?)
}

/// Fewest characters of a new password.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Most bytes of a password as typed.
pub const MAX_PASSWORD_BYTES: usize = 1024;
const RETRY_AFTER: Duration = Duration::from_secs(2);

struct Shared {
    permits: Arc<Semaphore>,
    oversize: Arc<Semaphore>,
    /// Idle block buffers, of [`Cost::CURRENT`] each; never more than there are permits.
    buffers: Mutex<Vec<Vec<Block>>>,
    waiting: AtomicUsize,
    limits: HashingLimits,
    dummy: StoredHash,
    /// What every check of a person's password takes.
    dearest: Mutex<Cost>,
    entropy: SharedEntropy,
}

type Permits = (OwnedSemaphorePermit, Option<OwnedSemaphorePermit>);

/// A place in the queue, given up when dropped.
struct Place<'a>(&'a AtomicUsize);

impl<'a> Place<'a> {
    fn take(shared: &'a Shared) -> Result<Self, PasswordError> {
        let one_more = |waiting| (waiting < shared.limits.waiting).then_some(waiting + 1);
        match shared.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more) {
            Ok(_) => Ok(Self(&shared.waiting)),
            Err(_) => Err(PasswordError::Busy { retry_after: RETRY_AFTER }),
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A permit and its buffer while they work. The buffer goes back first, so that the next holder of the permit finds it.
struct Turn {
    blocks: Vec<Block>,
    shared: Arc<Shared>,
    _permits: Permits,
}

impl Turn {
    fn begin(shared: Arc<Shared>, permits: Permits, cost: Cost) -> Result<Self, PasswordError> {
        let kept = if cost.is_oversize() { None } else { shared.idle_buffers().pop() };
        let blocks = match kept {
            Some(blocks) => blocks,
            None => {
                let count = cost.memory_kib.max(Cost::CURRENT.memory_kib) as usize;
                let mut blocks = Vec::new();
                blocks.try_reserve_exact(count).map_err(|_| PasswordError::Failed)?;
                blocks.resize(count, Block::new());
                blocks
            }
        };
        Ok(Self { blocks, shared, _permits: permits })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let blocks = std::mem::take(&mut self.blocks);
        if blocks.len() == Cost::CURRENT.memory_kib as usize {
            self.shared.idle_buffers().push(blocks);
        }
    }
}

impl Shared {
    fn idle_buffers(&self) -> std::sync::MutexGuard<'_, Vec<Vec<Block>>> {
        self.buffers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dearest(&self) -> std::sync::MutexGuard<'_, Cost> {
        self.dearest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn dearer(one: Cost, other: Cost) -> Cost {
    if other.work() > one.work() { other } else { one }
}

fn read(phc: &str) -> Option<StoredHash> {
    let parsed = StoredHash::parse(phc);
    if let Err(error) = &parsed {
        tracing::warn!(%error, "a stored password hash cannot be used; no password is right for it");
    }
    parsed.ok()
}

/// The password as it is hashed (RFC 8265 §4.2): every space the ASCII one, NFC, nothing disallowed.
fn prepare(password: &Secret) -> Result<Zeroizing<String>, PasswordError> {
    let typed = password.expose();
    if typed.is_empty() {
        return Err(PasswordError::TooShort);
    }
    if typed.len() > MAX_PASSWORD_BYTES {
        return Err(PasswordError::TooLong);
    }
    // The profile's tables are of Unicode 6.3 (2013). What they do not know yet, such as 🤖, would be disallowed as unassigned; it
    // is let through, and later tables change nothing about how it is mapped.
    let class = FreeformClass::default();
    let known = |c| match class.get_value_from_char(c) {
        DerivedPropertyValue::Unassigned => 'x',
        _ => c,
    };
    let judged = Zeroizing::new(typed.chars().map(known).collect::<String>());
    OpaqueString::prepare(judged.as_str()).map_err(|_| PasswordError::Disallowed)?;
    let mut prepared = Zeroizing::new(String::with_capacity(typed.len() * 3)); // NFC never takes more: no copy is left behind
    prepared.extend(typed.chars().map(|c| if c.is_whitespace() { ' ' } else { c }).nfc());
    Ok(prepared)
}

impl ChosenSecrets for PasswordHasher {
    fn verify<'a>(
        &'a self,
        secret: &'a Secret,
        stored: &'a str,
    ) -> BoxFuture<'a, Result<bool, UncheckedSecret>> {
        Box::pin(async move {
            let stored = read(stored);
            let least = stored.as_ref().map_or(Cost::CURRENT, |stored| stored.cost);
            match self.compare(secret.clone(), stored, least).await {
                Ok(verdict) => Ok(verdict != PasswordVerdict::Wrong),
                Err(PasswordError::Busy { retry_after }) => {
                    Err(UncheckedSecret::Busy(retry_after.as_secs().max(1)))
                }
                Err(_) => Err(UncheckedSecret::Failed),
            }
        })
    }
}

#[cfg(test)]
#[path = "password_tests.rs"]
mod tests;
