use super::*;
use crate::model::entropy::SystemEntropy;
use argon2::{Algorithm, Argon2, Params, Version};
use futures_util::future::join_all;

fn hasher_of(at_once: usize, waiting: usize) -> PasswordHasher {
    PasswordHasher::with_limits(Arc::new(SystemEntropy), HashingLimits { at_once, waiting })
}

fn hasher() -> PasswordHasher {
    hasher_of(2, 64)
}

fn secret(text: &str) -> Secret {
    Secret::new(text)
}

/// A PHC string of other parameters, as an import brings it.
fn phc_of(password: &str, m: u32, t: u32, p: u32, output_bytes: usize) -> String {
    use argon2::PasswordHasher as _;
    let params = Params::new(m, t, p, Some(output_bytes)).expect("lawful");
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    argon2.hash_password_with_salt(password.as_bytes(), b"0123456789abcdef").expect("hashes").to_string()
}

async fn verdict(hasher: &PasswordHasher, password: &str, stored: &str) -> PasswordVerdict {
    hasher.verify(secret(password), Some(stored)).await.expect("is not busy")
}

// product.md "Passwords"; RFC 9106 §4
#[tokio::test]
async fn a_password_is_stored_as_argon2id_of_nineteen_mebibytes_and_two_passes() {
    let hasher = hasher();
    let phc = hasher.hash(secret("correct horse")).await.expect("hashes");
    assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{phc}");
    assert_eq!(check_phc(&phc), Ok(()));
    assert_eq!(verdict(&hasher, "correct horse", &phc).await, PasswordVerdict::Right);
    assert_eq!(verdict(&hasher, "correct horsf", &phc).await, PasswordVerdict::Wrong);
    assert_eq!(verdict(&hasher, "Correct horse", &phc).await, PasswordVerdict::Wrong);
    assert_ne!(
        phc,
        hasher.hash(secret("correct horse")).await.expect("hashes"),
        "every hash has its own salt"
    );
}

// the crate's own verifier is the oracle
#[tokio::test]
async fn other_implementations_verify_the_stored_hash() {
    use argon2::PasswordVerifier as _;
    let phc = hasher().hash(secret("correct horse")).await.expect("hashes");
    assert!(Argon2::default().verify_password(b"correct horse", phc.as_str()).is_ok());
    assert!(Argon2::default().verify_password(b"wrong", phc.as_str()).is_err());
}

// threat 139
#[tokio::test]
async fn nobody_and_whoever_has_no_password_are_always_wrong() {
    let hasher = hasher();
    for password in ["", "password", "\0", &"x".repeat(5000)] {
        assert_eq!(hasher.verify(secret(password), None).await, Ok(PasswordVerdict::Wrong));
    }
}

// threat 139: the dummy's work is that of a real hash
#[test]
fn the_dummy_costs_what_a_new_hash_costs() {
    assert_eq!(hasher().shared.dummy.cost, Cost::CURRENT);
    assert!(!hasher().shared.dummy.is_weak());
}

// threat 139: the work is the same for whoever has a cheaper hash, a dearer one, or none
#[test]
fn what_is_missing_to_the_dearest_hash_is_made_up_for() {
    let cost = |memory_kib, passes| Cost { memory_kib, passes, lanes: 1 };
    let dearest = [Cost::CURRENT, cost(65_536, 3), cost(262_144, 10), cost(4_096, 10)];
    for dearest in dearest {
        for own in [cost(8, 1), cost(7_168, 5), cost(12_288, 3), Cost::CURRENT, cost(47_104, 1), dearest] {
            let rest = own.missing_to(dearest);
            assert!(rest.is_none_or(|rest| rest.memory_kib <= dearest.memory_kib && rest.memory_kib >= 8));
            let total = own.work() + rest.map_or(0, Cost::work);
            let wanted = own.work().max(dearest.work());
            assert!(
                total <= wanted && total * 1000 >= wanted * 999,
                "{own:?} to {dearest:?}: {total} of {wanted}"
            );
        }
    }
}

// threat 139
#[tokio::test]
async fn the_dearest_hash_in_use_is_learned_from_the_store_and_from_whoever_signs_in() {
    let hasher = hasher();
    let dear = phc_of("imported one", 32_768, 2, 1, 32);
    let (cheap, usual) =
        (phc_of("imported two", 4_096, 1, 1, 32), hasher.hash(secret("our own one")).await.expect("hashes"));
    assert_eq!(verdict(&hasher, "imported two", &cheap).await, PasswordVerdict::RightButWeak);
    assert_eq!(*hasher.shared.dearest(), Cost::CURRENT);
    assert_eq!(verdict(&hasher, "a guess", &dear).await, PasswordVerdict::Wrong);
    assert_eq!(hasher.shared.dearest().work(), 65_536);
    for (password, stored, expected) in [
        ("imported one", &dear, PasswordVerdict::Right),
        ("imported two", &cheap, PasswordVerdict::RightButWeak),
        ("our own one", &usual, PasswordVerdict::Right),
        ("our own two", &usual, PasswordVerdict::Wrong),
    ] {
        assert_eq!(verdict(&hasher, password, stored).await, expected);
    }
    assert_eq!(hasher.verify(secret("a guess"), None).await, Ok(PasswordVerdict::Wrong));
    hasher.set_dearest([cheap.as_str(), usual.as_str(), "nonsense"].into_iter());
    assert_eq!(*hasher.shared.dearest(), Cost::CURRENT);
    hasher.set_dearest([cheap.as_str(), dear.as_str()].into_iter());
    assert_eq!(hasher.shared.dearest().work(), 65_536);
}

// threat 145
#[tokio::test]
async fn an_empty_password_never_verifies_even_against_its_own_hash() {
    let hasher = hasher();
    let of_nothing = phc_of("", 19_456, 2, 1, 32);
    assert_eq!(check_phc(&of_nothing), Ok(()));
    assert_eq!(verdict(&hasher, "", &of_nothing).await, PasswordVerdict::Wrong);
    assert_eq!(hasher.hash(secret("")).await, Err(PasswordError::TooShort));
}

// threat 144
#[tokio::test]
async fn a_password_beyond_a_kibibyte_is_wrong_and_cannot_be_chosen() {
    let hasher = hasher();
    let (longest, longer) = ("x".repeat(1024), "x".repeat(1025));
    let phc = hasher.hash(secret(&longest)).await.expect("fits");
    assert_eq!(verdict(&hasher, &longest, &phc).await, PasswordVerdict::Right);
    assert_eq!(verdict(&hasher, &longer, &phc).await, PasswordVerdict::Wrong);
    assert_eq!(verdict(&hasher, &longer, &phc_of(&longer, 19_456, 2, 1, 32)).await, PasswordVerdict::Wrong);
    assert_eq!(hasher.hash(secret(&longer)).await, Err(PasswordError::TooLong));
}

// RFC 8265 §4.2
#[tokio::test]
async fn a_password_is_the_same_from_every_keyboard() {
    let hasher = hasher();
    let phc = hasher.hash(secret("caf\u{e9} au lait \u{1f916}")).await.expect("hashes");
    assert_eq!(
        verdict(&hasher, "cafe\u{301}\u{a0}au\u{3000}lait \u{1f916}", &phc).await,
        PasswordVerdict::Right
    );
    assert_eq!(verdict(&hasher, "CAF\u{c9} au lait \u{1f916}", &phc).await, PasswordVerdict::Wrong);
    assert_eq!(verdict(&hasher, "cafe au lait \u{1f916}", &phc).await, PasswordVerdict::Wrong);
    assert_eq!(
        verdict(&hasher, " caf\u{e9} au lait \u{1f916}", &phc).await,
        PasswordVerdict::Wrong,
        "nothing is trimmed"
    );
}

// RFC 8265 §4.2
#[tokio::test]
async fn a_control_character_is_disallowed() {
    let hasher = hasher();
    for password in [
        "pass\0word",
        "pass\nword",
        "pass\u{7f}word",
        "pass\u{200b}word",
        "\u{1f916}pass\u{1}word",
        "\u{fdd0}password",
    ] {
        assert_eq!(hasher.hash(secret(password)).await, Err(PasswordError::Disallowed), "{password:?}");
        let imported = phc_of(password, 19_456, 2, 1, 32);
        assert_eq!(verdict(&hasher, password, &imported).await, PasswordVerdict::Wrong, "{password:?}");
    }
}

// threat 145
#[tokio::test]
async fn a_weaker_hash_verifies_and_asks_to_be_replaced() {
    let hasher = hasher();
    for (m, t, p, output) in
        [(8, 1, 1, 32), (12_288, 3, 1, 32), (19_456, 1, 1, 32), (19_456, 2, 1, 16), (4_096, 10, 4, 64)]
    {
        let phc = phc_of("imported one", m, t, p, output);
        assert_eq!(check_phc(&phc), Ok(()), "{phc}");
        assert_eq!(verdict(&hasher, "imported one", &phc).await, PasswordVerdict::RightButWeak, "{phc}");
        assert_eq!(verdict(&hasher, "imported two", &phc).await, PasswordVerdict::Wrong, "{phc}");
    }
    for (m, t, p, output) in [(19_456, 2, 1, 32), (47_104, 1, 1, 32), (19_456, 3, 2, 64)] {
        let phc = phc_of("imported one", m, t, p, output);
        assert_eq!(verdict(&hasher, "imported one", &phc).await, PasswordVerdict::Right, "{phc}");
    }
}

const SALT: &str = "MDEyMzQ1Njc4OWFiY2RlZg";
const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

// threats 144, 145
#[tokio::test]
async fn a_hash_out_of_bounds_is_refused_at_import_and_right_for_no_password() {
    let hasher = hasher();
    assert_eq!(check_phc(&format!("$argon2id$v=19$m=262144,t=10,p=4${SALT}${HASH}")), Ok(()));
    for phc in [
        format!("$argon2id$v=19$m=262145,t=2,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19$m=4294967295,t=2,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=11,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=2,p=5${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=0,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19$m=7,t=2,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=2,p=0${SALT}${HASH}"),
        format!("$argon2id$v=16$m=19456,t=2,p=1${SALT}${HASH}"),
        format!("$argon2id$m=19456,t=2,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=2${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1,keyid=YWJj${SALT}${HASH}"),
        format!("$argon2i$v=19$m=19456,t=2,p=1${SALT}${HASH}"),
        format!("$argon2d$v=19$m=19456,t=2,p=1${SALT}${HASH}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}$AAAAAAAAAAAAAAA"),
        format!("$argon2id$v=19$m=19456,t=2,p=1$YWJj${HASH}"),
        format!("$argon2id$v=19$m=19456,t=2,p=1${SALT}"),
        "$argon2id$v=19$m=19456,t=2,p=1".to_owned(),
        "$2b$12$abcdefghijklmnopqrstuuqmY6FNYzP7Jv1Q0n8y3YyCwYV8mO0ZK".to_owned(),
        "$pbkdf2-sha256$i=600000$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA".to_owned(),
        "5f4dcc3b5aa765d61d8327deb882cf99".to_owned(),
        "password".to_owned(),
        String::new(),
        "$".repeat(10_000),
    ] {
        assert!(matches!(check_phc(&phc), Err(PasswordError::UnusableHash(_))), "{phc}");
        assert_eq!(verdict(&hasher, "password", &phc).await, PasswordVerdict::Wrong, "{phc}");
    }
}

// NIST SP 800-63B §5.1.1.2
#[test]
fn a_new_password_has_eight_characters_and_is_not_the_username() {
    let ada = CanonicalUsername::parse("ada.lovelace").expect("is one");
    assert_eq!(check_new_password(&secret("12345678"), &ada), Ok(()));
    assert_eq!(check_new_password(&secret("пароль12"), &ada), Ok(()));
    assert_eq!(check_new_password(&secret("ada.lovelace1"), &ada), Ok(()));
    for short in ["", "1234567", "пароль1", "e\u{301}e\u{301}e\u{301}e\u{301}"] {
        assert_eq!(check_new_password(&secret(short), &ada), Err(PasswordError::TooShort), "{short}");
    }
    for same in ["ada.lovelace", "Ada.Lovelace", "ＡＤＡ.lovelace", " ada.lovelace "] {
        assert_eq!(check_new_password(&secret(same), &ada), Err(PasswordError::SameAsUsername), "{same}");
    }
    assert_eq!(check_new_password(&secret("eight\u{0}chars"), &ada), Err(PasswordError::Disallowed));
    assert_eq!(check_new_password(&secret(&"x".repeat(1025)), &ada), Err(PasswordError::TooLong));
}

// threat 144
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_thousand_logins_at_once_a_bounded_number_is_served_and_the_rest_told_to_come_back() {
    let hasher = hasher_of(2, 8);
    let logins = join_all((0..2000).map(|_| hasher.verify(secret("guess"), None))).await;
    let served = logins.iter().filter(|login| **login == Ok(PasswordVerdict::Wrong)).count();
    assert!((10..2000).contains(&served), "{served}");
    assert!(logins.iter().all(|login| matches!(login, Ok(_) | Err(PasswordError::Busy { .. }))));
    let Some(Err(PasswordError::Busy { retry_after })) = logins.into_iter().find(Result::is_err) else {
        unreachable!()
    };
    assert!(!retry_after.is_zero());
    assert!(hasher.shared.idle_buffers().len() <= 2, "memory is permits times 19 MiB");
    assert_eq!(hasher.waiting(), 0);
    assert!(hasher.verify(secret("guess"), None).await.is_ok(), "and the next one is served");
}

// §0.2, threat 197: a hung-up client drops the future
#[tokio::test]
async fn a_cancelled_caller_leaks_neither_permit_nor_buffer_nor_place() {
    let hasher = hasher_of(2, 8);
    let mut running: Vec<_> = (0..10).map(|_| Box::pin(hasher.verify(secret("guess"), None))).collect();
    for login in &mut running {
        assert!(futures_util::poll!(login).is_pending());
    }
    assert_eq!(hasher.waiting(), 8);
    assert!(matches!(hasher.verify(secret("guess"), None).await, Err(PasswordError::Busy { .. })));
    drop(running);
    assert_eq!(hasher.waiting(), 0);
    let all = hasher.shared.permits.acquire_many(2).await.expect("both come back");
    assert!((1..=2).contains(&hasher.shared.idle_buffers().len()));
    drop(all);
    assert!(hasher.verify(secret("guess"), None).await.is_ok());
}

// threat 195
#[tokio::test]
async fn work_that_panics_gives_permit_and_buffer_back() {
    let hasher = hasher_of(1, 1);
    let panics = |_: &mut [Block]| std::panic::resume_unwind(Box::new("died"));
    assert_eq!(hasher.run::<()>(Cost::CURRENT, panics).await, Err(PasswordError::Failed));
    assert_eq!(hasher.shared.permits.available_permits(), 1);
    assert_eq!(hasher.shared.idle_buffers().len(), 1);
    assert!(hasher.verify(secret("guess"), None).await.is_ok());
}

// threat 144: memory budget
#[tokio::test]
async fn hashes_that_want_more_memory_take_turns_and_theirs_is_not_kept() {
    let hasher = hasher_of(2, 8);
    let phc = phc_of("imported one", 32_768, 1, 1, 32);
    let verdicts = join_all((0..4).map(|_| verdict(&hasher, "imported one", &phc))).await;
    assert!(
        verdicts
            .iter()
            .all(|verdict| *verdict == PasswordVerdict::RightButWeak || *verdict == PasswordVerdict::Right)
    );
    assert_eq!(hasher.shared.idle_buffers().len(), 0);
    assert_eq!(
        (hasher.shared.oversize.available_permits(), hasher.shared.permits.available_permits()),
        (1, 2)
    );
}

// threats 177, 185: nothing that is printed tells a password
#[test]
fn no_error_tells_the_password() {
    for password in ["hunter2", "hunter2\0", &"hunter2".repeat(200)] {
        let error = check_new_password(&secret(password), &CanonicalUsername::parse("ada").expect("is one"));
        assert!(!format!("{error:?}").contains("hunter2"));
    }
}
