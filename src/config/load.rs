//! Reads the main file, the environment's settings and the files of clients, and puts them together: either a whole
//! configuration, or everything that is wrong with it.

use super::clients::{ClientFile, read_clients};
use super::environment::Environment;
use super::reader::{Reader, Section, Site};
use super::tree::{Place, Source, Table, read_document, shown};
use super::{
    Config, Loaded, Problem, SecretKeys, advice, client_advice, database, lifetimes, mail, network, outbound,
    overrides, pages, registration, scopes, secrets,
};
use crate::protocol::issuer::Issuer;
use crate::protocol::redirect_uri::Deployment;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Sections of a coming version.
const LATER: [&str; 1] = ["client_id_metadata"];

/// No configuration file is longer.
const LONGEST: u64 = 4 * 1024 * 1024;

/// Reads the configuration at `path` with everything it names. `Err` holds every error, in the order of files and lines;
/// nothing of a configuration with an error is used.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, Vec<Problem>> {
    attempt(path, environment).outcome
}

/// What came of an attempt to load a configuration.
pub struct Attempt {
    /// Every file and folder that was read or looked for, also where the configuration is refused.
    pub files: Vec<PathBuf>,
    /// The configuration, or every error.
    pub outcome: Result<Loaded, Vec<Problem>>,
}

/// Like [`load`], and tells what it looked at.
pub fn attempt(path: &Path, environment: &Environment) -> Attempt {
    let mut reader = Reader::new(environment);
    let main = read_file(&mut reader, path);
    let document = Document { main, path: path.to_owned(), clients: Clients::OfFolder };
    let mut files = Vec::new();
    let outcome = finish_noting(reader, document, &mut files);
    Attempt { files, outcome }
}

/// What a configuration is made of, its texts read.
pub(super) struct Document {
    pub(super) main: Parsed,
    pub(super) path: PathBuf,
    pub(super) clients: Clients,
}

/// Where the clients come from.
pub(super) enum Clients {
    /// The folder that `[clients]` names.
    OfFolder,
    /// Texts that are compiled in.
    Given(Vec<(PathBuf, String)>),
}

/// A file's root table, and whether all of it was understood.
pub(super) struct Parsed {
    pub(super) table: Table,
    pub(super) whole: bool,
}

/// Decodes everything, reports everything.
pub(super) fn finish(reader: Reader<'_>, document: Document) -> Result<Loaded, Vec<Problem>> {
    finish_noting(reader, document, &mut Vec::new())
}

/// Like [`finish`], and notes in `files` what was looked at.
fn finish_noting(
    mut reader: Reader<'_>,
    document: Document,
    files: &mut Vec<PathBuf>,
) -> Result<Loaded, Vec<Problem>> {
    let Parsed { mut table, whole } = document.main;
    overrides::apply(&mut table, reader.environment);
    let file: Arc<Path> = Arc::from(document.path.as_path());
    let place = Place { source: Source::File(Arc::clone(&file)), line: 1, column: 1 };
    let mut root = Section::new(Site { place, key: String::new() }, Some(&table));
    let complaints = reader.problems.len();

    let issuer = issuer(&mut reader, &mut root);
    let secret_keys = secret_keys(&mut reader, &mut root);
    let listen = network::listen(&mut reader, &mut root);
    let operations = network::operations(&mut reader, &mut root, &listen);
    let database = database::database(&mut reader, &mut root);
    let lifetimes = lifetimes::lifetimes(&mut reader, &mut root);
    let signing_keys = lifetimes::signing_keys(&mut reader, &mut root);
    let scopes = scopes::scopes(&mut reader, &mut root);
    let (resources, introspectors) = scopes::resources(&mut reader, &mut root, &scopes, issuer.as_ref().ok());
    let pages = pages::pages(&mut reader, &mut root);
    let log = pages::log(&mut reader, &mut root);
    let audit = lifetimes::audit(&mut reader, &mut root);
    let outbound = outbound::outbound(&mut reader, &mut root);
    let mail = mail::mail(&mut reader, &mut root);
    let front_channel_logout = outbound::front_channel_logout(&mut reader, &mut root);
    let registration = registration::registration(&mut reader, &mut root, &scopes);
    let folder = clients_folder(&mut reader, &mut root);
    clients_in_main_file(&mut reader, &mut root);
    reader.finish_with(&root, &LATER);
    if !whole {
        // What a broken file seems to say is not worth reporting.
        reader.problems.truncate(complaints);
    }
    let client_files = match document.clients {
        Clients::OfFolder => files_of_folder(&mut reader, &folder),
        Clients::Given(texts) => texts
            .into_iter()
            .map(|(path, text)| ClientFile { parsed: parse(&mut reader, &path, &text), path })
            .collect(),
    };
    let all_read =
        reader.problems.iter().all(|problem| !problem.is_unreadable() && problem.rule != "unreadable-folder");

    let surroundings = super::clients::Surroundings {
        deployment: match &issuer {
            Ok(issuer) if issuer.is_secure() => Deployment::Production,
            Err(text) if text.starts_with("https:") => Deployment::Production,
            _ => Deployment::Development,
        },
        scopes: whole.then_some(&scopes),
        algorithms: whole.then_some(signing_keys.algorithms.as_slice()),
    };
    let clients = read_clients(&mut reader, &client_files, &surroundings);
    if all_read {
        for (id, site) in introspectors {
            if !clients.names.contains_key(id.as_str()) {
                let known = clients.names.keys().map(String::as_str);
                let nearest = super::reader::nearest(id.as_str(), known).map(str::to_owned);
                let problem =
                    reader.refuse(&site, "unknown-client", shown(id.as_str()), "the client_id of a client");
                if let Some(nearest) = nearest {
                    problem.hint = format!("did you mean `{nearest}`?");
                }
            }
        }
    }
    // A broken file may name more variables than were seen.
    let remarks = if all_read { overrides::refuse_unknown(&mut reader) } else { Vec::new() };
    reader.files.insert(reader.environment.root().join(&document.path));
    files.extend(reader.files.iter().cloned());

    let (Ok(issuer), Some(secret_keys), Some(database)) = (issuer, secret_keys, database) else {
        return Err(sorted(reader.problems));
    };
    if !reader.problems.is_empty() {
        return Err(sorted(reader.problems));
    }
    let config = Config {
        issuer,
        secret_keys,
        listen,
        operations,
        database,
        lifetimes,
        signing_keys,
        scopes,
        resources,
        pages,
        log,
        audit,
        outbound,
        mail,
        front_channel_logout,
        registration,
        clients: clients.clients,
        files: files.clone(),
    };
    let places = advice::Places::new(&file, &reader);
    let found = advice::advise(&config, &places);
    let advice = sorted(found.into_iter().chain(remarks).collect());
    let clashes = client_advice::clashes(&config, &places);
    Ok(Loaded { config, advice, clashes })
}

/// Reads and parses a file; what cannot be read or understood is noted.
fn read_file(reader: &mut Reader<'_>, path: &Path) -> Parsed {
    let place = Place { source: Source::File(Arc::from(path)), line: 0, column: 0 };
    let site = Site { place, key: String::new() };
    let real = reader.environment.root().join(path);
    reader.files.insert(real.clone());
    let text = std::fs::metadata(&real).and_then(|metadata| {
        let fits = metadata.is_file() && metadata.len() <= LONGEST;
        if fits {
            std::fs::read_to_string(&real)
        } else {
            Err(std::io::Error::other("not a file of at most 4 MiB"))
        }
    });
    match text {
        Ok(text) => parse(reader, path, &text),
        Err(why) => {
            let found = format!("{}: {}", shown(&path.display().to_string()), secrets::reason(&why));
            reader.refuse(&site, "unreadable", found, "a configuration file in TOML").hint =
                "`portreeve init` writes one".into();
            Parsed { table: Table::default(), whole: false }
        }
    }
}

/// Parses a text; its syntax errors are noted.
pub(super) fn parse(reader: &mut Reader<'_>, path: &Path, text: &str) -> Parsed {
    let (table, mistakes) = read_document(text, &Arc::from(path));
    let whole = mistakes.is_empty();
    for mistake in mistakes {
        let site = Site { place: mistake.place, key: String::new() };
        reader.refuse(&site, "syntax", format!("a mistake in the syntax: {}", mistake.message), "TOML");
    }
    Parsed { table, whole }
}

/// The issuer, or the text that is none.
fn issuer(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Result<Issuer, String> {
    if root.get("issuer").is_none() {
        let problem =
            reader.refuse(&root.site.clone(), "missing-key", "no `issuer`", "`issuer = \"https://…\"`");
        problem.key = "issuer".into();
        problem.section = Some("RFC 8414 §2");
        return Err(String::new());
    }
    let Some((text, site)) = reader.text(root, "issuer") else { return Err(String::new()) };
    Issuer::parse(&text).map_err(|why| {
        let expected = format!("an https URL; this one {why}");
        reader.refuse(&site, "invalid-issuer", shown(&text), expected).section = Some("RFC 8414 §2");
        text
    })
}

fn secret_keys(reader: &mut Reader<'_>, root: &mut Section<'_>) -> Option<SecretKeys> {
    let current = match reader.take(root, "secret_key") {
        Some((node, site)) => secrets::secret_key(reader, node, &site),
        None => {
            let expected = "`secret_key = { file = \"secret.key\" }`";
            let problem = reader.refuse(&root.site.clone(), "missing-key", "no `secret_key`", expected);
            problem.key = "secret_key".into();
            problem.hint = "`portreeve init` makes one".into();
            None
        }
    };
    let mut previous = Vec::new();
    if let Some((node, site)) = reader.take(root, "previous_secret_keys") {
        match &node.typed {
            super::tree::Typed::Array(elements) => {
                for (index, element) in elements.iter().enumerate() {
                    let key = format!("previous_secret_keys[{index}]");
                    let site = Site { place: element.place.clone(), key };
                    previous.extend(secrets::secret_key(reader, element, &site));
                }
            }
            _ => {
                reader.refuse(
                    &site,
                    "wrong-type",
                    node.kind(),
                    "an array of `{ file = \"…\" }` or `{ env = \"…\" }`",
                );
            }
        }
    }
    Some(SecretKeys { current: current?, previous })
}

/// Clients stand in files of their own.
fn clients_in_main_file(reader: &mut Reader<'_>, root: &mut Section<'_>) {
    if let Some(site) = root.peek("client") {
        let expected = "them in files of the folder of clients";
        let problem = reader.refuse(&site, "unknown-key", "clients in the main file", expected);
        problem.hint = "move them into a file of `[clients] folder`".into();
        root.ignore("client");
    }
}

/// The folder of the files of clients, as it was named, and where.
fn clients_folder(reader: &mut Reader<'_>, root: &mut Section<'_>) -> (String, Site) {
    let mut section = reader.section(root, "clients");
    let folder = reader.text(&mut section, "folder");
    reader.finish(&section);
    folder.unwrap_or_else(|| ("clients".into(), section.site))
}

/// The files of clients, sorted, each parsed.
fn files_of_folder(reader: &mut Reader<'_>, (named, site): &(String, Site)) -> Vec<ClientFile> {
    let real = reader.resolve(&site.place, named);
    reader.files.insert(real.clone());
    // The folder as it is shown: beside the main file, as that was named.
    let shown_folder = match &site.place.source {
        Source::File(file) => file.parent().unwrap_or(Path::new("")).join(named),
        Source::Variable(_) => PathBuf::from(named),
    };
    let names = match std::fs::read_dir(&real) {
        Ok(entries) => {
            entries.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<Vec<_>, _>>()
        }
        // Nobody has made the usual folder yet: there are no clients.
        Err(why) if why.kind() == std::io::ErrorKind::NotFound && named == "clients" => Ok(Vec::new()),
        Err(why) => Err(why),
    };
    let mut names = names.unwrap_or_else(|why| {
        let found = format!("{}: {}", shown(named), secrets::reason(&why));
        reader.refuse(site, "unreadable-folder", found, "a folder of client files");
        Vec::new()
    });
    names.sort();
    let is_file_of_clients = |name: &&std::ffi::OsString| {
        Path::new(name).extension().is_some_and(|extension| extension == "toml")
            && !name.to_string_lossy().starts_with('.')
    };
    let paths: Vec<PathBuf> =
        names.iter().filter(is_file_of_clients).map(|name| shown_folder.join(name)).collect();
    paths.into_iter().map(|path| ClientFile { parsed: read_file(reader, &path), path }).collect()
}

/// By file, line and column; each once.
fn sorted(mut problems: Vec<Problem>) -> Vec<Problem> {
    problems.sort_by(|left, right| {
        let order =
            |one: &Problem| (one.file.clone(), one.variable.clone(), one.line, one.column, one.key.clone());
        order(left).cmp(&order(right))
    });
    problems.dedup();
    problems
}
