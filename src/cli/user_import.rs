//! `portreeve user import FILE`: a JSON object a line. Everything that is wrong with any line is told, with its place; then
//! nobody is added.

use crate::cli::office::Office;
use crate::cli::terminal::{Told, Usage, note, say};
use crate::model::claims::PersonClaims;
use crate::model::secret::Secret;
use crate::model::user::PasswordHash;
use crate::model::username::CanonicalUsername;
use crate::protocol::strict_json::parse_object;
use crate::users::import::ImportError;
use crate::users::lifecycle::{LifecycleError, NewPassword, NewPerson};
use serde_json::{Map, Value};
use std::io::{IsTerminal as _, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use zeroize::Zeroizing;

/// What a line may hold.
const MEMBERS: [&str; 4] = ["username", "password", "password_hash", "claims"];

/// Reads the file, or standard input for `-`.
pub(super) fn read(file: &Path) -> anyhow::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    let read = if file == Path::new("-") {
        if std::io::stdin().is_terminal() {
            note("reading people from standard input, a JSON object a line, to its end");
        }
        std::io::stdin().lock().read_to_string(&mut text).map(drop)
    } else {
        std::fs::File::open(file).and_then(|mut open| open.read_to_string(&mut text)).map(drop)
    };
    read.map_err(|why| Usage(format!("{}: it cannot be read: {why}", file.display())))?;
    Ok(text)
}

/// Adds everybody whom `text` names, or nobody.
pub(super) async fn run(office: &Office, file: &Path, text: &str) -> anyhow::Result<()> {
    let mut problems: Vec<Finding> = Vec::new();
    let (mut people, mut lines) = (Vec::new(), Vec::new());
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        match person(line) {
            Ok(person) => {
                people.push(person);
                lines.push((index + 1, line));
            }
            Err(found) => {
                let placed =
                    found.into_iter().map(|(member, what)| Finding::new(index + 1, line, member, what));
                problems.extend(placed);
            }
        }
    }
    warn_of_readers(file, &people);
    // Also when some lines could not be read: what is wrong with the others is told at once with them.
    if problems.is_empty() {
        let count = people.len();
        match office.people().import(people, &office.circumstances).await {
            Ok(_) => {
                return say(&format!(
                    "{count} {} added",
                    if count == 1 { "person is" } else { "people are" }
                ));
            }
            Err(refused) => problems.extend(findings(refused, &lines)?),
        }
    } else if let Err(refused) = office.people().check_import(&people).await {
        problems.extend(findings(refused, &lines)?);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    for problem in &problems {
        say(&format!("{}:{}:{}: {}", file.display(), problem.line, problem.column, problem.what))?;
    }
    note(&format!("{} problems: nobody was added", problems.len()));
    Err(Told.into())
}

/// Something that is wrong with a line, and where.
struct Finding {
    line: usize,
    column: usize,
    what: String,
}

impl Finding {
    /// The place of `member` in the line, or its beginning.
    fn new(number: usize, line: &str, member: &str, what: String) -> Self {
        let at = (!member.is_empty()).then(|| line.find(&format!("\"{member}\""))).flatten();
        let column = at.map_or(1, |at| line[..at].chars().count() + 1);
        Self { line: number, column, what }
    }
}

fn findings(refused: ImportError, lines: &[(usize, &str)]) -> anyhow::Result<Vec<Finding>> {
    let refused = match refused {
        ImportError::Storage(why) => return Err(why.into()),
        ImportError::Refused(refused) => refused,
    };
    let place = |entry: usize| lines.get(entry).copied().unwrap_or_default();
    Ok(refused
        .into_iter()
        .map(|(entry, why)| {
            let (number, line) = place(entry);
            let what = match &why {
                LifecycleError::Repeated { what, entry } => {
                    format!("the same {what} as in line {}", place(*entry).0)
                }
                other => other.to_string(),
            };
            Finding::new(number, line, member_of(&why), what)
        })
        .collect())
}

/// The member that a refusal is about.
fn member_of(why: &LifecycleError) -> &'static str {
    match why {
        LifecycleError::UsernameTaken(_) | LifecycleError::Repeated { what: "username", .. } => "username",
        LifecycleError::EmailTaken(_) | LifecycleError::Repeated { .. } | LifecycleError::Email(_) => "email",
        LifecycleError::VerifiedWithoutEmail => "email_verified",
        LifecycleError::Claims(_) => "claims",
        LifecycleError::Password(_) => "password",
        LifecycleError::Unknown(_) | LifecycleError::Storage(_) => "",
    }
}

/// The person of one line, or everything that is wrong with it: the member, and what. No value of a member is told.
fn person(line: &str) -> Result<NewPerson, Vec<(&'static str, String)>> {
    let mut object: Map<String, Value> =
        parse_object(line.trim().as_bytes()).map_err(|why| vec![("", format!("found a line that {why}"))])?;
    let mut problems: Vec<(&'static str, String)> = Vec::new();
    let unknown = object.keys().filter(|name| !MEMBERS.contains(&name.as_str()));
    for name in unknown {
        let expected = MEMBERS.join(", ");
        problems.push(("", format!("found an unknown member {name:?}, expected one of {expected}")));
    }
    let mut text = |name: &'static str, problems: &mut Vec<(&'static str, String)>| match object.remove(name)
    {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            problems.push((name, format!("found a {name} that is not a string, expected one")));
            None
        }
    };
    let (username, password) = (text("username", &mut problems), text("password", &mut problems));
    let hash = text("password_hash", &mut problems);
    if username.is_none() && !problems.iter().any(|(member, _)| *member == "username") {
        problems.push(("username", "found no username, expected one".to_owned()));
    }
    let username = username.and_then(|name| {
        let parsed = CanonicalUsername::parse(&name);
        parsed.map_err(|why| problems.push(("username", format!("{name:?} is no username: {why}")))).ok()
    });
    let password = match (password.map(Secret::new), hash) {
        (Some(_), Some(_)) => {
            problems.push((
                "password_hash",
                "found both password and password_hash, expected one of them".into(),
            ));
            NewPassword::Absent
        }
        (Some(password), None) => NewPassword::Clear(password),
        (None, Some(hash)) => NewPassword::Hashed(PasswordHash(hash)),
        (None, None) => NewPassword::Absent,
    };
    let claims = match object.remove("claims") {
        None | Some(Value::Null) => PersonClaims::default(),
        Some(Value::Object(claims)) => PersonClaims::from_object(claims).unwrap_or_else(|wrong| {
            problems.extend(wrong.into_iter().map(|why| ("claims", why.to_string())));
            PersonClaims::default()
        }),
        Some(_) => {
            problems.push(("claims", "found claims that are not an object, expected one".to_owned()));
            PersonClaims::default()
        }
    };
    match username {
        Some(username) if problems.is_empty() => {
            Ok(NewPerson { username, claims, password, must_change_password: false })
        }
        _ => Err(problems),
    }
}

/// Says so when others may read passwords in clear.
fn warn_of_readers(file: &Path, people: &[NewPerson]) {
    let clear = people.iter().any(|person| matches!(person.password, NewPassword::Clear(_)));
    let mode = std::fs::metadata(file).map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if clear && file != Path::new("-") && mode & 0o077 != 0 {
        note(&format!(
            "{} holds passwords in clear, and others may read it (mode {:o}): remove it when the import is done",
            file.display(),
            mode & 0o777
        ));
    }
}
