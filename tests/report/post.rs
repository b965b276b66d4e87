//! `--post-slack`: the message arrives, and its URL is nowhere said.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;

use serde_json::Value;

use super::{EVENTS, RULES, bundle, ended, form, program, said};

const SECRET: &str = "T0P53CR3T";
const VARIABLE: &str = "SIGMA_OCSF_SLACK_WEBHOOK";

fn post(bundle: &str, url: &str) -> Output {
    let output = program().args(["report", bundle, "--post-slack"]).env(VARIABLE, url).output().unwrap();
    let (out, wrong) = said(&output);
    assert!(!format!("{out}{wrong}").contains(SECRET), "{out}{wrong}");
    output
}

#[test]
fn the_printed_message_is_posted() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/services/{SECRET}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = Vec::new();
        let mut buffer = [0; 4096];
        // The message ends with the end of its document.
        loop {
            let read = stream.read(&mut buffer).unwrap();
            request.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&request);
            let body = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
            if let Ok(message) = serde_json::from_str::<Value>(body) {
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
                return message;
            }
            assert!(read > 0, "the request ended early");
        }
    });
    let output = post(&bundle, &url);
    assert_eq!(said(&output), (String::new(), "posted to Slack\n".to_owned()));
    assert!(output.status.success());
    let printed: Value = serde_json::from_str(&form(&bundle, "slack", &[])).unwrap();
    assert_eq!(served.join().unwrap(), printed);
}

#[test]
fn failures_are_told_without_the_url() {
    let folder = tempfile::tempdir().unwrap();
    let bundle = bundle(folder.path(), RULES, EVENTS);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("http://{}/services/{SECRET}", listener.local_addr().unwrap());
    drop(listener);
    let refused = post(&bundle, &closed);
    assert_eq!(refused.status.code(), Some(3));
    assert!(said(&refused).1.contains("could not be reached: connection refused"), "{:?}", said(&refused));
    for url in [format!("http://hooks.example/{SECRET}"), format!("{SECRET} {SECRET}"), SECRET.to_owned()] {
        let output = post(&bundle, &url);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).1.contains("is no URL to post to"), "{:?}", said(&output));
    }
    let (_, wrong) = ended(2, &["report", &bundle, "--post-slack"]);
    assert!(wrong.contains(VARIABLE), "{wrong}");
}
