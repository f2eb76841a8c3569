//! The service in `examples/` is started and asked, as a newcomer would.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

/// The service, which ends with the test.
struct Service {
    process: Child,
    address: String,
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Service {
    fn start(folder: &Path) -> Self {
        // Beside the tests, as cargo puts it.
        let mut program = std::env::current_exe().unwrap();
        program.pop();
        program.pop();
        program.push("examples/service");
        program.set_extension(std::env::consts::EXE_EXTENSION);
        if !program.exists() {
            // Who runs this test alone has not built it.
            let built = Command::new(env!("CARGO")).args(["build", "--quiet", "--example", "service"]).status();
            assert!(built.unwrap().success());
        }
        let mut process = Command::new(program)
            .args([folder.to_str().unwrap(), "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://").expect(&line).to_string();
        Self { process, address }
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: test\r\nConnection: close\r\nDurable: yes\r\n");
        write!(stream, "{head}Content-Length: {length}\r\n\r\n{body}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
    }
}

#[test]
fn the_service_answers_what_an_article_repeats_and_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("news");
    let text = "The ferry leaves the harbour at nine and comes back at noon, weather permitting, the owner said.";
    let story = |id: &str, text: &str| json!({ "id": id, "text": text, "source": "example.org" }).to_string();
    let service = Service::start(&archive);
    let (status, first) = service.ask("POST", "/articles", &story("a", text));
    assert_eq!((status, &first["number"], &first["matches"]), (200, &json!(0), &json!([])));
    let (_, second) = service.ask("POST", "/articles", &story("b", &text.replace("noon", "night")));
    assert_eq!((&second["matches"][0]["id"], &second["matches"][0]["relation"]), (&json!("a"), &json!("near")));
    let (_, asked) = service.ask("POST", "/query", &story("c", &text.to_uppercase()));
    assert_eq!(
        (&asked["matches"][0]["source"], &asked["matches"][0]["relation"]),
        (&json!("example.org"), &json!("exact"))
    );
    assert_eq!(service.ask("POST", "/query", "no JSON").0, 400);
    assert_eq!(service.ask("GET", "/", "").0, 404);
    drop(service);
    let (_, stats) = Service::start(&archive).ask("GET", "/stats", "");
    assert_eq!(stats["articles"], 2, "what was answered with `Durable` is there after the process was killed");
}
