//! A headless Chromium, spoken to in the DevTools protocol through a pipe.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use serde_json::{Value, json};

/// A browser with one page, gone when dropped.
pub struct Browser {
    process: Child,
    to: ChildStdin,
    from: Receiver<Value>,
    session: Option<String>,
    calls: u64,
    /// Whatever the page has thrown or logged.
    pub complaints: Vec<Value>,
}

/// Longer than any answer takes: if the browser is stuck, the test fails instead of waiting for ever.
const PATIENCE: Duration = Duration::from_secs(120);

const FLAGS: [&str; 12] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--window-size=1400,900",
    "--remote-debugging-pipe",
];

impl Browser {
    /// Starts the Chromium of this machine with its profile in `folder`; where there is none, says so and gives none.
    pub fn start(folder: &Path) -> Option<Self> {
        let started = find().and_then(|program| Self::launch(&program, folder));
        if started.is_none() {
            crate::common::skipped("the page in a browser: there is no Chromium in PATH that starts");
        }
        started
    }

    fn launch(program: &Path, folder: &Path) -> Option<Self> {
        // The browser reads commands from descriptor 3 and answers on 4.
        let mut process = Command::new("sh")
            .args(["-c", r#"exec "$@" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null"#, "sh"])
            .arg(program)
            .args(FLAGS)
            .arg(format!("--user-data-dir={}", folder.join("profile").display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let (to, answers) = (process.stdin.take()?, process.stdout.take()?);
        let (sender, from) = mpsc::channel();
        thread::spawn(move || {
            for message in BufReader::new(answers).split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("the browser speaks JSON");
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        let mut browser = Self { process, to, from, session: None, calls: 0, complaints: Vec::new() };
        let target = browser.try_call("Target.createTarget", json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = browser.call("Target.attachToTarget", attach);
        browser.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{domain}.enable"), json!({}));
        }
        Some(browser)
    }

    /// Sends a command and gives its result; none if the browser has ended.
    fn try_call(&mut self, method: &str, params: Value) -> Option<Value> {
        self.calls += 1;
        let mut command = json!({"id": self.calls, "method": method, "params": params});
        if let Some(session) = &self.session {
            command["sessionId"] = json!(session);
        }
        write!(self.to, "{command}\0").ok()?;
        loop {
            let mut message = self.next()?;
            if message["id"] == self.calls {
                assert!(message["error"].is_null(), "{method}: {}", message["error"]);
                return Some(message["result"].take());
            }
        }
    }

    fn next(&mut self) -> Option<Value> {
        let message = match self.from.recv_timeout(PATIENCE) {
            Ok(message) => message,
            Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("the browser has said nothing for {PATIENCE:?}"),
        };
        if let Some("Runtime.exceptionThrown" | "Runtime.consoleAPICalled" | "Log.entryAdded") =
            message["method"].as_str()
        {
            self.complaints.push(message["params"].clone());
        }
        Some(message)
    }

    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.try_call(method, params).expect("the browser runs")
    }

    /// Opens a file and waits until it is there.
    pub fn open(&mut self, file: &Path) {
        self.call("Page.navigate", json!({"url": "about:blank"}));
        self.call("Page.navigate", json!({"url": format!("file://{}", file.display())}));
        // Asked for again and again, because a page without script cannot tell by itself.
        while self.value("document.readyState") != "complete" {}
    }

    /// The value of an expression, which may be a promise.
    pub fn value(&mut self, expression: &str) -> Value {
        let params = json!({"expression": expression, "awaitPromise": true, "returnByValue": true});
        let mut result = self.call("Runtime.evaluate", params);
        assert!(result["exceptionDetails"].is_null(), "{expression}: {}", result["exceptionDetails"]);
        result["result"]["value"].take()
    }

    /// Waits until an expression is true.
    pub fn until(&mut self, expression: &str) {
        let begin = Instant::now();
        while self.value(expression) != true {
            assert!(begin.elapsed() < PATIENCE, "never: {expression}");
            self.settle();
        }
    }

    /// Presses keys, one after the other, and waits until the page has drawn what came of each.
    pub fn press(&mut self, keys: &str) {
        for key in keys.chars() {
            for kind in ["keyDown", "keyUp"] {
                self.call("Input.dispatchKeyEvent", json!({"type": kind, "key": key, "text": key}));
            }
            self.settle();
        }
    }

    /// Presses a key that writes nothing, by its name and number, and waits as `press` does.
    pub fn press_key(&mut self, key: &str, number: u32) {
        let text = if key == "Enter" { "\r" } else { "" };
        for kind in ["keyDown", "keyUp"] {
            let event = json!({"type": kind, "key": key, "code": key, "text": text, "windowsVirtualKeyCode": number});
            self.call("Input.dispatchKeyEvent", event);
        }
        self.settle();
    }

    /// Makes the window so large, in the pixels of style sheets.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size);
        self.settle();
    }

    /// Shows pages in light or dark colours.
    pub fn color_scheme(&mut self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features);
        self.settle();
    }

    /// Waits for the events that are under way and for the next frame.
    pub fn settle(&mut self) {
        self.value(
            "new Promise(done => setTimeout(() => requestAnimationFrame(() => setTimeout(done)), 0)).then(() => 0)",
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Asked to, it takes its children along and leaves no file open.
        let _ = write!(self.to, "{}\0", json!({"id": 0, "method": "Browser.close"}));
        while self.from.recv_timeout(Duration::from_secs(10)).is_ok() {}
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn find() -> Option<PathBuf> {
    const NAMES: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let path = env::var_os("PATH")?;
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    NAMES
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|file| fs::metadata(file).is_ok_and(|file| file.is_file()))
}
