//! A service that is told articles over HTTP and answers what each of them repeats.
//!
//! `cargo run --release --example service -- news 127.0.0.1:8080`, and then
//! `curl --data '{"id": "monday", "text": "The ferry leaves at nine."}' http://127.0.0.1:8080/articles`
//!
//! | request | |
//! | --- | --- |
//! | `POST /articles` | archives an article, and answers what it repeats, whole and in part |
//! | `POST /query` | answers the same without archiving it |
//! | `GET /stats` | figures about the archive |
//!
//! An article is an object with `text`, and `id`, `date` and `source` where these are known. What was archived is committed every second,
//! and before a request with the header `Durable` is answered. It listens to whoever can reach it, and asks nobody for a name: keep it
//! on loopback, or behind a proxy that does.

use std::error::Error;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use retold::{Archive, ArchiveFault, ArchiveReader, Article, Detector, Excerpts};
use serde::Deserialize;
use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response, Server};

/// Bytes that an article may have.
const MOST_BYTES: usize = 1 << 22;

#[derive(Deserialize)]
struct Story {
    #[serde(default)]
    id: String,
    text: String,
    date: Option<String>,
    source: Option<String>,
}

impl Article for Story {
    fn id(&self) -> &str {
        &self.id
    }

    fn text(&self) -> &str {
        &self.text
    }

    fn date(&self) -> Option<&str> {
        self.date.as_deref()
    }

    fn source(&self) -> Option<&str> {
        self.source.as_deref()
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1);
    let (Some(folder), Some(address)) = (args.next(), args.next()) else {
        return Err("give the folder of an archive, and an address such as 127.0.0.1:8080".into());
    };
    let detector = Detector::builder().excerpts(Excerpts::Find).build()?;
    let archive = match Archive::open(&folder, &detector) {
        Err(retold::Error::Archive { fault: ArchiveFault::Missing, .. }) => Archive::create(&folder, &detector)?,
        opened => opened?,
    };
    let reader = archive.reader();
    let archive = Arc::new(Mutex::new(archive));
    let server = Arc::new(Server::http(&address).map_err(|error| error.to_string())?);
    println!("listening on http://{}", server.server_addr());
    // Who only asks waits for nobody who writes.
    for _ in 0..thread::available_parallelism()?.get() {
        let (server, archive, reader) = (server.clone(), archive.clone(), reader.clone());
        thread::spawn(move || server.incoming_requests().for_each(|request| serve(request, &archive, &reader)));
    }
    loop {
        thread::sleep(Duration::from_secs(1));
        let mut archive = archive.lock().map_err(|_| "a request ended while it wrote")?;
        archive.commit()?;
        // Takes seconds or minutes, beside, once the archive has grown by a twentieth.
        if archive.needs_census() {
            archive.begin_census()?;
        }
    }
}

fn serve(mut request: Request, archive: &Mutex<Archive>, reader: &ArchiveReader) {
    let start = Instant::now();
    let (status, answer) = match answer(&mut request, archive, reader) {
        Ok(answer) => (200, answer),
        Err((status, reason)) => (status, json!({ "error": reason })),
    };
    eprintln!("{} {} {status} {:.1?}", request.method(), request.url(), start.elapsed());
    let json: Header = "Content-Type: application/json".parse().expect("a header");
    // Whoever asked may be gone.
    let _ = request.respond(Response::from_string(answer.to_string()).with_status_code(status).with_header(json));
}

fn answer(request: &mut Request, archive: &Mutex<Archive>, reader: &ArchiveReader) -> Result<Value, (u16, String)> {
    let failed = |error: retold::Error| (500, error.to_string());
    let is_durable = request.headers().iter().any(|header| header.field.equiv("Durable"));
    let lock = || archive.lock().map_err(|_| (500, "a request ended while it wrote".to_string()));
    match (request.method().clone(), request.url()) {
        (Method::Post, "/articles") => {
            let story = story(request)?;
            let mut archive = lock()?;
            // What is not committed yet is found as well.
            let answer = archive.ask(&story).map_err(failed)?;
            let number = archive.add(&story).map_err(failed)?;
            if is_durable {
                archive.commit().map_err(failed)?;
            }
            let mut answer = json!(answer);
            answer["number"] = number.into();
            Ok(answer)
        }
        (Method::Post, "/query") => Ok(json!(reader.ask(&story(request)?).map_err(failed)?)),
        (Method::Get, "/stats") => Ok(json!(lock()?.stats())),
        _ => Err((404, "POST /articles, POST /query or GET /stats".into())),
    }
}

fn story(request: &mut Request) -> Result<Story, (u16, String)> {
    use std::io::Read;
    let mut body = Vec::new();
    let read = request.as_reader().take(MOST_BYTES as u64 + 1).read_to_end(&mut body);
    read.map_err(|error| (400, format!("the article cannot be read: {error}")))?;
    if body.len() > MOST_BYTES {
        return Err((413, format!("an article may have {MOST_BYTES} bytes")));
    }
    serde_json::from_slice(&body).map_err(|error| (400, format!("it is no article: {error}")))
}
