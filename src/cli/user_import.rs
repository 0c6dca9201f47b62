//! `portreeve user import FILE`: a JSON object a line. The file is read twice and never held whole: first everything that is wrong
//! with any line is told, with its place, and then nobody is added; else people are added in batches, in the order of the lines.
//! Should one of these fail, those before it are there, and it is told from which line on to import the rest.

use crate::cli::office::Office;
use crate::cli::terminal::{Told, Usage, note, say};
use crate::model::claims::PersonClaims;
use crate::model::secret::Secret;
use crate::model::user::PasswordHash;
use crate::model::username::CanonicalUsername;
use crate::protocol::strict_json::parse_object;
use crate::users::import::{BATCH, Entry, Seen};
use crate::users::lifecycle::{LifecycleError, NewPassword, NewPerson};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, IsTerminal as _, Seek as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use zeroize::Zeroizing;

/// What a line may hold.
const MEMBERS: [&str; 4] = ["username", "password", "password_hash", "claims"];
/// What others who write may do between two batches.
const BETWEEN_BATCHES: Duration = Duration::from_millis(30);

/// What is imported: a file, or what came by standard input or a pipe, which can be read once only.
pub(super) struct People {
    path: PathBuf,
    held: Held,
}

enum Held {
    File(File),
    Text(Zeroizing<Vec<u8>>),
}

/// Opens the file, or reads standard input for `-`.
pub(super) fn open(path: &Path) -> anyhow::Result<People> {
    let held = if path == Path::new("-") {
        if io::stdin().is_terminal() {
            note("reading people from standard input, a JSON object a line, to its end");
        }
        read_whole(&mut io::stdin().lock())
    } else {
        File::open(path).and_then(|mut file| match file.metadata()?.is_file() {
            true => Ok(Held::File(file)),
            false => read_whole(&mut file),
        })
    };
    let held = held.map_err(|why| unreadable(path, &why))?;
    Ok(People { path: path.to_owned(), held })
}

fn read_whole(from: &mut impl io::Read) -> io::Result<Held> {
    let mut text = Zeroizing::new(Vec::new());
    from.read_to_end(&mut text)?;
    Ok(Held::Text(text))
}

fn unreadable(path: &Path, why: &io::Error) -> Usage {
    Usage(format!("{}: it cannot be read: {why}", path.display()))
}

impl People {
    /// The lines from the beginning on, those that are empty left out, each with its number.
    fn lines(&mut self) -> io::Result<Lines<'_>> {
        let reader: Box<dyn BufRead> = match &mut self.held {
            Held::File(file) => {
                file.rewind()?;
                Box::new(BufReader::new(file))
            }
            Held::Text(text) => Box::new(text.as_slice()),
        };
        Ok(Lines { reader, number: 0 })
    }
}

struct Lines<'a> {
    reader: Box<dyn BufRead + 'a>,
    number: usize,
}

impl Iterator for Lines<'_> {
    type Item = io::Result<(usize, Zeroizing<Vec<u8>>)>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let mut line = Zeroizing::new(Vec::new());
            match self.reader.read_until(b'\n', &mut line) {
                Err(why) => return Some(Err(why)),
                Ok(0) => return None,
                Ok(_) => self.number += 1,
            }
            if !line.trim_ascii().is_empty() {
                return Some(Ok((self.number, line)));
            }
        }
    }
}

/// Adds everybody whom the file names; nobody when anything is wrong with it.
pub(super) async fn run(office: &Office, mut people: People) -> anyhow::Result<()> {
    let path = people.path.clone();
    let problems = check(office, &mut people).await?;
    for problem in &problems {
        say(&format!("{}:{}:{}: {}", path.display(), problem.line, problem.column, problem.what))?;
    }
    if !problems.is_empty() {
        note(&format!("{} problems: nobody was added", problems.len()));
        return Err(Told.into());
    }
    let mut count: usize = 0;
    let (mut batch, mut from) = (Vec::with_capacity(BATCH), 1);
    let mut lines = people.lines().map_err(|why| unreadable(&path, &why))?;
    loop {
        let line = lines.next().transpose().map_err(|why| unreadable(&path, &why))?;
        let is_last = line.is_none();
        let number = line.as_ref().map_or(from, |(number, _)| *number);
        let changed = || interrupted(count, from, "the file was changed while it was read");
        if let Some((_, line)) = line {
            batch.extend(Some(
                person(text_of(&line, number).map_err(|_| changed())?).person.map_err(|_| changed())?,
            ));
        }
        if batch.len() < BATCH && !is_last {
            continue;
        }
        let size = batch.len();
        let added = office.people().add_batch(std::mem::take(&mut batch), &office.circumstances).await;
        added.map_err(|why| interrupted(count, from, &why.to_string()))?;
        (count, from) = (count.saturating_add(size), number.saturating_add(1));
        if is_last {
            return say(&format!("{count} {} added", if count == 1 { "person is" } else { "people are" }));
        }
        tokio::time::sleep(BETWEEN_BATCHES).await;
    }
}

fn interrupted(count: usize, from: usize, why: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "{why}; {count} people were added before: import the file again without its lines before line {from}"
    )
}

/// Everything that is wrong with the file, by line and column.
async fn check(office: &Office, people: &mut People) -> anyhow::Result<Vec<Finding>> {
    let path = people.path.clone();
    let (mut problems, mut seen, mut holds_passwords) = (Vec::new(), Seen::default(), false);
    let mut lines = people.lines().map_err(|why| unreadable(&path, &why))?;
    loop {
        let (mut entries, mut texts) = (Vec::with_capacity(BATCH), BTreeMap::new());
        for line in lines.by_ref().take(BATCH) {
            let (number, line) = line.map_err(|why| unreadable(&path, &why))?;
            let text = match text_of(&line, number) {
                Ok(text) => text,
                Err(problem) => {
                    problems.push(problem);
                    continue;
                }
            };
            let Parsed { username, person } = person(text);
            let person = match person {
                Ok(person) => Some(person),
                Err(found) => {
                    let placed =
                        found.into_iter().map(|(member, what)| Finding::new(number, text, member, what));
                    problems.extend(placed);
                    None
                }
            };
            holds_passwords |=
                person.as_ref().is_some_and(|person| matches!(person.password, NewPassword::Clear(_)));
            entries.push(Entry { number, username, person });
            texts.insert(number, line);
        }
        if entries.is_empty() && texts.is_empty() && lines.reader.fill_buf().is_ok_and(<[u8]>::is_empty) {
            break;
        }
        for (number, why) in office.people().check_entries(&mut seen, &entries).await? {
            let text = texts.get(&number).and_then(|line| std::str::from_utf8(line).ok()).unwrap_or_default();
            problems.push(Finding::new(number, text, member_of(&why), why.to_string()));
        }
    }
    if holds_passwords {
        warn_of_readers(&path);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Ok(problems)
}

/// A line as text, or what is wrong with its bytes.
fn text_of(line: &[u8], number: usize) -> Result<&str, Finding> {
    let wrong = |column, what: &str| Finding { line: number, column, what: what.to_owned() };
    let text = std::str::from_utf8(line).map_err(|why| {
        let before = String::from_utf8_lossy(&line[..why.valid_up_to()]).chars().count();
        wrong(before + 1, "found bytes that are not UTF-8, expected text in UTF-8")
    })?;
    match text.strip_prefix('\u{feff}') {
        Some(_) => Err(wrong(
            1,
            "found a byte order mark, expected a JSON object: save the file as UTF-8 without one",
        )),
        None => Ok(text),
    }
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

/// What a line says.
struct Parsed {
    /// The name, also where something else is wrong.
    username: Option<CanonicalUsername>,
    /// The person, or everything that is wrong: the member, and what. No value of a member is told.
    person: Result<NewPerson, Vec<(&'static str, String)>>,
}

fn person(line: &str) -> Parsed {
    let mut object: Map<String, Value> = match parse_object(line.trim().as_bytes()) {
        Ok(object) => object,
        Err(why) => {
            return Parsed { username: None, person: Err(vec![("", format!("found a line that {why}"))]) };
        }
    };
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
    let person = match &username {
        Some(username) if problems.is_empty() => {
            Ok(NewPerson { username: username.clone(), claims, password, must_change_password: false })
        }
        _ => Err(problems),
    };
    Parsed { username, person }
}

/// Says so when others may read passwords in clear.
fn warn_of_readers(file: &Path) {
    let mode = std::fs::metadata(file).map(|metadata| metadata.permissions().mode()).unwrap_or_default();
    if file != Path::new("-") && mode & 0o077 != 0 {
        note(&format!(
            "{} holds passwords in clear, and others may read it (mode {:o}): remove it when the import is done",
            file.display(),
            mode & 0o777
        ));
    }
}
