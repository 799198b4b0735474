use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use tailfold_spec::artifact;

use super::table::Remote;
use super::*;

/// The server's reply to one request.
#[derive(Clone, Copy)]
enum Answer {
    /// The content from the first byte of the requested range on.
    Right,
    /// The same content, but the connection ends after this number of bytes.
    Cut(usize),
    /// The whole content; the requested range is ignored.
    NoRange,
    /// Another range than the requested one.
    WrongRange,
    Status(u16),
}

/// Starts a local server that gives `answers`, one per connection, and then ends. Its thread returns the requested
/// ranges.
fn serve(
    content: Vec<u8>,
    answers: Vec<Answer>,
) -> (String, thread::JoinHandle<Vec<Option<usize>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let answer = |answer| reply(&mut listener.accept().unwrap().0, &content, answer);
        answers.into_iter().map(answer).collect()
    });
    (url, server)
}

fn reply(stream: &mut TcpStream, content: &[u8], answer: Answer) -> Option<usize> {
    let mut range = None;
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let line = line.unwrap().to_ascii_lowercase();
        if let Some(from) = line.strip_prefix("range: bytes=") {
            range = Some(from.trim_end_matches('-').parse().unwrap());
        }
        if line.is_empty() {
            break;
        }
    }
    let from = range.unwrap_or(0);
    let all = content.len();
    let ranged = |from: usize| match range {
        Some(_) => format!(
            "206 Partial Content\r\nContent-Range: bytes {from}-{}/{all}",
            all - 1
        ),
        None => "200 OK".to_owned(),
    };
    let (status, body, sent) = match answer {
        Answer::Right => (ranged(from), &content[from..], usize::MAX),
        Answer::Cut(n) => (ranged(from), &content[from..], n),
        Answer::NoRange => ("200 OK".to_owned(), content, usize::MAX),
        Answer::WrongRange => (ranged(from + 1), &content[from + 1..], usize::MAX),
        Answer::Status(status) => (format!("{status} No"), &content[..0], usize::MAX),
    };
    let length = body.len();
    let head =
        format!("HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    // The client may have closed the connection already.
    let _ = stream.write_all(&body[..sent.min(length)]);
    range
}

/// Returns a client that ignores the proxy settings of the environment.
fn direct() -> ureq::Agent {
    let config = ureq::Agent::config_builder();
    config
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into()
}

/// Leaks `text`, because the table holds static text.
fn forever(text: String) -> &'static str {
    text.leak()
}

/// Returns an archive of incompressible noise, and its entry in the table.
fn published() -> (Vec<u8>, Published) {
    // The linear congruential generator of Numerical Recipes; compressors cannot shorten its upper bytes.
    let noise = |n: usize| {
        let next = |x: &u32| Some(x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
        let states = std::iter::successors(Some(7), next).take(n);
        states.map(|x| x.to_be_bytes()[0]).collect::<Vec<u8>>()
    };
    let mut archive = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for (name, content) in [
        ("set/readme.html", noise(100)),
        ("set/train.bin", noise(150_000)),
        ("set/deep/test.bin", noise(777)),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive
            .append_data(&mut header, name, content.as_slice())
            .unwrap();
    }
    let bytes = archive.into_inner().unwrap().finish().unwrap();
    assert!(bytes.len() > 140_000);
    let remote = Remote {
        name: "set.tar.gz",
        bytes: bytes.len() as u64,
        sha256: forever(artifact::sha256(&bytes)),
        members: &["train.bin", "test.bin"],
    };
    let published = Published {
        base: "http://127.0.0.1:1",
        files: Box::leak(Box::new([remote])),
    };
    (bytes, published)
}

/// Returns the names of the files in `folder`, sorted.
fn listing(folder: &Path) -> Vec<String> {
    let name =
        |entry: std::io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<String> = fs::read_dir(folder).unwrap().map(name).collect();
    names.sort_unstable();
    names
}

/// Fetches from a server that gives `answers`; returns the result and the requested ranges.
fn check(
    out: &Path,
    answers: &[Answer],
    retries: usize,
) -> (Result<(), String>, Vec<Option<usize>>) {
    let (bytes, published) = published();
    let (url, server) = serve(bytes, answers.to_vec());
    let waits = vec![Duration::ZERO; retries];
    let result = fetch(&direct(), &published, out, Some(&url), &waits);
    let ranges = server.join().unwrap();
    (result.map_err(|error| format!("{error:#}")), ranges)
}

fn assert_unpacked(out: &Path) {
    assert_eq!(listing(out), ["test.bin", "train.bin"]);
    assert_eq!(fs::read(out.join("train.bin")).unwrap().len(), 150_000);
    assert_eq!(fs::read(out.join("test.bin")).unwrap().len(), 777);
}

#[test]
fn complete_download_is_unpacked() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("deep/set");
    assert_eq!(check(&out, &[Answer::Right], 0), (Ok(()), vec![None]));
    assert_unpacked(&out);
    // A second fetch sends no request.
    assert_eq!(check(&out, &[], 0), (Ok(()), vec![]));
}

#[test]
fn cut_download_resumes() {
    let dir = tempfile::tempdir().unwrap();
    let cuts = [Answer::Cut(50_000), Answer::Cut(30_000), Answer::Right];
    let (result, ranges) = check(dir.path(), &cuts, 2);
    assert_eq!(
        (result, ranges),
        (Ok(()), vec![None, Some(50_000), Some(80_000)])
    );
    assert_unpacked(dir.path());

    // The download also resumes in a second call.
    let dir = tempfile::tempdir().unwrap();
    let (result, _) = check(dir.path(), &[Answer::Cut(1234)], 0);
    let message = result.unwrap_err();
    assert!(
        message.contains("set.tar.gz: the connection was cut after 1234 of "),
        "{message}"
    );
    assert_eq!(listing(dir.path()), ["set.tar.gz.partial"]);
    assert_eq!(
        check(dir.path(), &[Answer::Right], 0),
        (Ok(()), vec![Some(1234)])
    );
    assert_unpacked(dir.path());
}

#[test]
fn server_without_ranges_sends_whole_file_again() {
    let dir = tempfile::tempdir().unwrap();
    let answers = [Answer::Cut(60_000), Answer::NoRange];
    assert_eq!(
        check(dir.path(), &answers, 1),
        (Ok(()), vec![None, Some(60_000)])
    );
    assert_unpacked(dir.path());
}

#[test]
fn wrong_range_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (result, _) = check(dir.path(), &[Answer::Cut(10), Answer::WrongRange], 1);
    let message = result.unwrap_err();
    assert!(
        message.contains("answered the range `bytes 11-"),
        "{message}"
    );
    assert_eq!(listing(dir.path()), ["set.tar.gz.partial"]);
}

#[test]
fn wrong_bytes_are_removed() {
    let dir = tempfile::tempdir().unwrap();
    let (bytes, published) = published();
    let mut wrong = bytes.clone();
    wrong[70_000] ^= 1;
    // Wrong bytes come from the server, or from an earlier partial file. Either way the size is right and the hash is
    // wrong.
    for (there, answer) in [
        (None, wrong.clone()),
        (Some(&wrong[..90_000]), bytes.clone()),
    ] {
        let partial = dir.path().join("set.tar.gz.partial");
        if let Some(there) = there {
            fs::write(&partial, there).unwrap();
        }
        let (url, server) = serve(answer, vec![Answer::Right]);
        let error = fetch(&direct(), &published, dir.path(), Some(&url), &[]).unwrap_err();
        server.join().unwrap();
        let (found, expected) = (artifact::sha256(&wrong), published.files[0].sha256);
        let expect = format!(
            "{url}/set.tar.gz has SHA-256 {found}, expected {expected}; the downloaded file was removed"
        );
        assert_eq!(format!("{error:#}"), expect);
        assert!(listing(dir.path()).is_empty());
    }
    // The server sends one byte too many.
    let (url, server) = serve([bytes, vec![0]].concat(), vec![Answer::Right]);
    let error = fetch(&direct(), &published, dir.path(), Some(&url), &[]).unwrap_err();
    server.join().unwrap();
    assert!(
        format!("{error:#}").contains("sends more than "),
        "{error:#}"
    );
}

#[test]
fn http_error_status_is_reported() {
    let dir = tempfile::tempdir().unwrap();
    for status in [404, 500] {
        let (result, _) = check(dir.path(), &[Answer::Status(status)], 3);
        let message = result.unwrap_err();
        assert!(
            message.ends_with(&format!("set.tar.gz answered with status {status}")),
            "{message}"
        );
        assert!(listing(dir.path()).is_empty());
    }
    // No server answers: the address of the table is a closed port.
    let (_, published) = published();
    let error = fetch(&direct(), &published, dir.path(), None, &[]).unwrap_err();
    assert!(
        format!("{error:#}").contains("http://127.0.0.1:1/set.tar.gz"),
        "{error:#}"
    );
}

#[test]
fn archive_without_members_is_error() {
    let dir = tempfile::tempdir().unwrap();
    let archive = dir.path().join("a.tar.gz");
    fs::write(&archive, published().0).unwrap();
    let out = dir.path().join("out");
    let error = unpack::unpack(&archive, &["train.bin", "val.bin"], &out).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("{} has no [\"val.bin\"]", archive.display())
    );
    fs::write(&archive, "no archive").unwrap();
    let error = unpack::unpack(&archive, &["train.bin"], &out).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot unpack {}", archive.display())
    );
    // A compressed file that is not an archive has one member.
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(b"labels").unwrap();
    let single = dir.path().join("labels.gz");
    fs::write(&single, gz.finish().unwrap()).unwrap();
    unpack::unpack(&single, &["labels"], &out).unwrap();
    assert_eq!(fs::read(out.join("labels")).unwrap(), b"labels");
}

#[test]
fn table_has_valid_sizes_and_hashes() {
    let mut hashes = Vec::new();
    for name in [Name::Cifar10, Name::Cifar100, Name::FashionMnist] {
        for remote in name.published().files {
            assert_eq!(remote.sha256.len(), 64);
            assert!(
                remote
                    .sha256
                    .bytes()
                    .all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase())
            );
            assert!(remote.bytes > 5000 && !remote.members.is_empty());
            hashes.push(remote.sha256);
        }
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 6);
}
