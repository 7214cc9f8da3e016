//! Answers each request with the length of its path.

use std::io::{Read, Write};
use std::net::TcpListener;

fn main() {
    if std::env::args().any(|one| one == "--once") {
        print!("{}", answer(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"));
        return;
    }
    let listener = TcpListener::bind("0.0.0.0:8080").unwrap();
    for stream in listener.incoming().flatten() {
        let (mut stream, mut buffer) = (stream, [0; 4096]);
        let read = stream.read(&mut buffer).unwrap_or(0);
        let _ = stream.write_all(answer(&buffer[..read]).as_bytes());
    }
}

fn answer(bytes: &[u8]) -> String {
    let mut headers = [httparse::EMPTY_HEADER; 16];
    let mut request = httparse::Request::new(&mut headers);
    let _ = request.parse(bytes);
    let length = request.path.unwrap_or("").len();
    let mut buffer = itoa::Buffer::new();
    format!("HTTP/1.1 200 OK\r\n\r\n{}\n", buffer.format(length))
}
