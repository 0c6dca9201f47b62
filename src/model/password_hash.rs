//! An argon2id hash as it is stored: a PHC string within the bounds that this server verifies (RFC 9106; threats 144, 145).
//!
//! Serves people's passwords and client secrets that a person chose. When and where the work is done is left to
//! `users::password`.

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{Algorithm, Argon2, Block, Params, Version};

/// argon2id's parameters (RFC 9106 §3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cost {
    /// m, in KiB: as many blocks.
    pub memory_kib: u32,
    /// t: passes over it.
    pub passes: u32,
    /// p: lanes.
    pub lanes: u32,
}

impl Cost {
    /// What new hashes take.
    pub const CURRENT: Self = Self { memory_kib: 19 * 1024, passes: 2, lanes: 1 };
    /// The most that a stored hash may ask for.
    pub const MOST: Self = Self { memory_kib: 256 * 1024, passes: 10, lanes: 4 };

    /// How much work it is: KiB filled, over all passes.
    pub const fn work(self) -> u64 {
        self.memory_kib as u64 * self.passes as u64
    }

    /// What is missing from this work to that of `dearest`, as a cost of its own; none when it is too little to tell.
    pub fn missing_to(self, dearest: Self) -> Option<Self> {
        let missing = dearest.work().checked_sub(self.work())?;
        let passes = missing.div_ceil(u64::from(dearest.memory_kib));
        let memory_kib = u32::try_from(missing.checked_div(passes)?).ok()?;
        let passes = u32::try_from(passes).ok()?;
        (memory_kib >= 8).then_some(Self { memory_kib, passes, lanes: 1 })
    }

    /// Whether it takes more memory than a new hash.
    pub const fn is_oversize(self) -> bool {
        self.memory_kib > Self::CURRENT.memory_kib
    }

    /// Hashes `password` into `output`, in `blocks` of at least [`Cost::memory_kib`] (RFC 9106 §3).
    ///
    /// # Errors
    /// What argon2 finds wrong with these parameters, lengths or blocks.
    pub fn fill(
        self,
        password: &[u8],
        salt: &[u8],
        output: &mut [u8],
        blocks: &mut [Block],
    ) -> Result<(), argon2::Error> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output.len()))
            .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
            .and_then(|argon2| argon2.hash_password_into_with_memory(password, salt, output, blocks))
    }
}

/// A PHC string that was read.
#[derive(Clone)]
pub struct StoredHash {
    /// The work it took.
    pub cost: Cost,
    /// 8 to 48 random bytes.
    pub salt: Vec<u8>,
    /// The hash, 16 to 64 bytes.
    pub output: Vec<u8>,
}

impl StoredHash {
    /// Reads a PHC string: argon2id, v = 19, m ≤ 256 MiB, t ≤ 10, p ≤ 4, salt of 8 to 48 bytes, output of 16 to 64, nothing else.
    ///
    /// # Errors
    /// What is wrong with it; never a part of it.
    pub fn parse(phc: &str) -> Result<Self, UnusableHash> {
        let refuse = UnusableHash;
        if phc.len() > MAX_PHC_BYTES {
            return Err(refuse("it is longer than 512 bytes"));
        }
        let hash = PasswordHash::new(phc).map_err(|_| refuse("it does not follow the PHC format"))?;
        if hash.algorithm.as_str() != "argon2id" {
            return Err(refuse("the algorithm is not argon2id"));
        }
        if hash.version != Some(19) {
            return Err(refuse("the version is not 19"));
        }
        let parameter = |name: &str| hash.params.get_decimal(name).ok_or(refuse("m, t or p is missing"));
        let cost = Cost { memory_kib: parameter("m")?, passes: parameter("t")?, lanes: parameter("p")? };
        if hash.params.iter().count() != 3 {
            return Err(refuse("it has parameters other than m, t and p"));
        }
        let (Some(salt), Some(output)) = (hash.salt, hash.hash) else {
            return Err(refuse("salt or hash is missing"));
        };
        if cost.memory_kib > Cost::MOST.memory_kib
            || cost.passes > Cost::MOST.passes
            || cost.lanes > Cost::MOST.lanes
        {
            return Err(refuse("it asks for more than m=262144, t=10 or p=4"));
        }
        if !(16..=64).contains(&output.len()) {
            return Err(refuse("the hash has not 16 to 64 bytes"));
        }
        Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(output.len()))
            .map_err(|_| refuse("m, t or p is below argon2's least"))?;
        Ok(Self { cost, salt: salt.to_vec(), output: output.as_bytes().to_vec() })
    }

    /// Whether guessing it takes less memory, or less memory times passes, than guessing a new one.
    pub fn is_weak(&self) -> bool {
        self.cost.memory_kib < Cost::CURRENT.memory_kib
            || self.cost.work() < Cost::CURRENT.work()
            || self.salt.len() < SALT_BYTES
            || self.output.len() < OUTPUT_BYTES
    }

    /// The PHC string.
    pub fn to_phc(&self) -> Option<String> {
        let mut params = ParamsString::new();
        for (name, value) in [("m", self.cost.memory_kib), ("t", self.cost.passes), ("p", self.cost.lanes)] {
            params.add_decimal(name, value).ok()?;
        }
        let hash = PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params,
            salt: Some(Salt::new(&self.salt).ok()?),
            hash: Some(Output::new(&self.output).ok()?),
        };
        Some(hash.to_string())
    }
}

/// Why a text is no hash that this server verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a usable argon2id PHC string: {0}")]
pub struct UnusableHash(&'static str);

/// Bytes of a new hash's salt (RFC 9106 §3.1).
pub const SALT_BYTES: usize = 16;
/// Bytes of a new hash.
pub const OUTPUT_BYTES: usize = 32;
const MAX_PHC_BYTES: usize = 512;
