//! The webhook against a server of this machine.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::JoinHandle;

use serde_json::json;

use super::*;

/// A part of the URL that nothing may say.
const SECRET: &str = "T0P53CR3T";

fn hasty() -> Patience {
    Patience {
        timeout: Duration::from_secs(20),
        attempts: 3,
        pause: Duration::from_millis(1),
        longest_pause: Duration::from_millis(2),
    }
}

/// A server that gives each connection the next of `answers` and then ends; and what it was sent.
fn server(answers: Vec<String>) -> (Webhook, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/services/{SECRET}", listener.local_addr().unwrap());
    let serve = move || {
        let answer = |answer: String| {
            let (mut stream, _) = listener.accept().unwrap();
            let request = request(&mut stream);
            stream.write_all(answer.as_bytes()).unwrap();
            request
        };
        answers.into_iter().map(answer).collect()
    };
    (Webhook::new(&url).unwrap(), std::thread::spawn(serve))
}

/// A request with the whole of its body.
fn request(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4096];
    loop {
        let read = stream.read(&mut buffer).unwrap();
        text.push_str(std::str::from_utf8(&buffer[..read]).unwrap());
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) || read == 0 {
            return text;
        }
    }
}

fn answer(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("HTTP/1.1 {status}\r\n{headers}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}

fn assert_silent(error: PostError) {
    let said = format!("{error} {error:?}");
    assert!(!said.contains(SECRET) && !said.contains("127.0.0.1:"), "{said}");
}

#[test]
fn a_message_arrives_as_json() {
    let (webhook, served) = server(vec![answer("200 OK", "", "ok")]);
    webhook.post(&json!({"text": "é"}), &hasty()).unwrap();
    let requests = served.join().unwrap();
    assert!(requests[0].starts_with(&format!("POST /services/{SECRET} HTTP/1.1\r\n")), "{requests:?}");
    assert!(requests[0].to_lowercase().contains("content-type: application/json\r\n"), "{requests:?}");
    assert!(requests[0].ends_with("\r\n\r\n{\"text\":\"é\"}"), "{requests:?}");
}

#[test]
fn a_busy_or_failing_server_is_asked_again() {
    let busy = answer("429 Too Many Requests", "retry-after: 3600\r\n", "");
    let failing = answer("500 Internal Server Error", "", "");
    let (webhook, served) = server(vec![failing, busy, answer("200 OK", "", "ok")]);
    webhook.post(&json!({}), &hasty()).unwrap();
    assert_eq!(served.join().unwrap().len(), 3);
}

#[test]
fn it_is_asked_so_often_and_no_more() {
    let failing = answer("503 Service Unavailable", "", SECRET);
    let (webhook, served) = server(vec![failing; 3]);
    let error = webhook.post(&json!({}), &hasty()).unwrap_err();
    assert_eq!(error, PostError::Status { status: 503, word: None });
    assert_silent(error);
    assert_eq!(served.join().unwrap().len(), 3);
}

#[test]
fn a_refusal_is_final_and_told_in_slacks_word() {
    let (webhook, served) = server(vec![answer("404 Not Found", "", "no_service\n")]);
    let error = webhook.post(&json!({}), &hasty()).unwrap_err();
    assert_eq!(error.to_string(), "the webhook answered 404: no_service");
    assert_eq!(served.join().unwrap().len(), 1);
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = format!("location: http://127.0.0.1:1/{SECRET}\r\n");
    let (webhook, served) = server(vec![answer("302 Found", &elsewhere, "")]);
    let error = webhook.post(&json!({}), &hasty()).unwrap_err();
    assert_eq!(error, PostError::Status { status: 302, word: None });
    served.join().unwrap();
}

#[test]
fn a_server_that_keeps_silent_is_left() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
    let patience = Patience { timeout: Duration::from_millis(200), ..hasty() };
    let error = Webhook::new(&url).unwrap().post(&json!({}), &patience).unwrap_err();
    assert_eq!(error, PostError::Timeout { timeout: patience.timeout });
    assert_silent(error);
}

#[test]
fn a_closed_port_is_told_without_its_address() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
    drop(listener);
    let error = Webhook::new(&url).unwrap().post(&json!({}), &hasty()).unwrap_err();
    assert_eq!(error, PostError::Connection(io::ErrorKind::ConnectionRefused));
    assert_silent(error);
}

#[test]
fn an_answer_that_is_no_http_quotes_nothing() {
    let (webhook, served) = server(vec![format!("{SECRET} {SECRET}\r\n\r\n")]);
    assert_silent(webhook.post(&json!({}), &hasty()).unwrap_err());
    served.join().unwrap();
}

#[test]
fn only_https_or_this_machine_is_posted_to() {
    for url in
        ["https://hooks.example/x", "http://127.0.0.1:9/x", "http://localhost/x", " https://h.example/ "]
    {
        assert!(Webhook::new(url).is_ok(), "{url}");
    }
    let refused = [
        "",
        "hooks.example/x",
        "http://hooks.example/x",
        "http://127.0.0.1@hooks.example/x",
        "http://127.0.0.1:x@hooks.example/x",
        "http://127.0.0.1.hooks.example/x",
        "https://user:password@hooks.example/x",
        "ftp://127.0.0.1/x",
        "file:///etc/passwd",
        "https:///x",
        "https://a b/",
    ];
    for url in refused {
        assert_eq!(Webhook::new(url).unwrap_err(), PostError::Url, "{url}");
    }
}

#[test]
fn a_webhook_does_not_show_its_url() {
    let webhook = Webhook::new(&format!("https://hooks.example/{SECRET}")).unwrap();
    assert_eq!(format!("{webhook:?}"), "Webhook(…)");
}
