//! A local web server of one folder, because a page may not fetch from `file://`.

use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

/// Largest size of a report in bytes.
const LIMIT: u64 = 1 << 20;

pub(super) struct Server(TcpListener);

impl Server {
    /// A server on `port`, or on any free port for 0.
    pub(super) fn new(port: u16) -> anyhow::Result<Self> {
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .map(Self)
            .with_context(|| format!("cannot serve on port {port}"))
    }

    pub(super) fn address(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }

    /// Answers one request from `folder`. Returns the body of a post to `/report`.
    pub(super) fn answer(&self, folder: &Path) -> anyhow::Result<Option<String>> {
        let (stream, _) = self.0.accept()?;
        // Browsers open connections without a request and close others early; neither is an error.
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        Ok(respond(&stream, folder).unwrap_or_default())
    }

    /// Answers requests until a post to `/report`, whose body it returns. Fails after `limit`.
    pub(super) fn report(&self, folder: &Path, limit: Duration) -> anyhow::Result<String> {
        let begin = Instant::now();
        self.0.set_nonblocking(true)?;
        while begin.elapsed() < limit {
            match self.0.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(false)?;
                    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
                    if let Ok(Some(report)) = respond(&stream, folder) {
                        return Ok(report);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => return Err(error).context("cannot serve the page"),
            }
        }
        bail!("no report within {} s", limit.as_secs())
    }
}

/// Answers one request. Returns the body of a post to `/report`.
fn respond(mut stream: &TcpStream, folder: &Path) -> io::Result<Option<String>> {
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut words = first.split_whitespace();
    let (method, target) = (words.next(), words.next().unwrap_or_default());
    if (method, target) == (Some("POST"), "/report") {
        let mut body = String::new();
        reader.take(length.min(LIMIT)).read_to_string(&mut body)?;
        write!(
            stream,
            "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
        )?;
        return Ok(Some(body));
    }
    let found = name(target).and_then(|name| Some((kind(name), fs::read(folder.join(name)).ok()?)));
    let (status, kind, body) = match found {
        Some((kind, body)) => ("200 OK", kind, body),
        None => ("404 Not Found", "text/plain", b"not here\n".to_vec()),
    };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    )?;
    stream.write_all(&body)?;
    Ok(None)
}

/// The file name that `target` requests; `None` for a path outside the folder or in a subfolder.
fn name(target: &str) -> Option<&str> {
    let path = target.split('?').next()?.strip_prefix('/')?;
    match path {
        "" => Some("index.html"),
        _ if path.starts_with('.') || path.contains(['/', '\\', '%', ':']) => None,
        _ => Some(path),
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html",
        Some("css") => "text/css",
        Some("js" | "mjs") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_outside_the_folder_have_no_name() {
        let check = |target, expect| assert_eq!(name(target), expect, "{target}");
        check("/", Some("index.html"));
        check("/?test=a.png", Some("index.html"));
        check("/page.js", Some("page.js"));
        for target in [
            "/../a",
            "/a/../../b",
            "/..",
            "/%2e%2e",
            "/a\\b",
            "page.js",
            "//a",
        ] {
            check(target, None);
        }
    }

    #[test]
    fn server_sends_files_and_reads_reports() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("page.js"), "here").unwrap();
        let server = Server::new(0).unwrap();
        let address = server.address().unwrap();
        let ask = |request: &'static str| {
            std::thread::spawn(move || {
                let mut stream = TcpStream::connect(address).unwrap();
                stream.write_all(request.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                answer
            })
        };
        let asked = ask("GET /page.js HTTP/1.1\r\n\r\n");
        assert_eq!(server.answer(folder.path()).unwrap(), None);
        let answer = asked.join().unwrap();
        assert!(
            answer.contains("text/javascript") && answer.ends_with("here"),
            "{answer}"
        );
        let asked = ask("GET /no.js HTTP/1.1\r\n\r\n");
        server.answer(folder.path()).unwrap();
        assert!(asked.join().unwrap().starts_with("HTTP/1.1 404"));
        let asked = ask("POST /report HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}");
        let report = server.report(folder.path(), Duration::from_secs(10));
        assert_eq!(report.unwrap(), "{}");
        assert!(asked.join().unwrap().starts_with("HTTP/1.1 204"));
    }
}
