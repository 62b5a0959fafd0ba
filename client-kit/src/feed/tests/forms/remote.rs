//! Feeds from a URL, asked of a server on this machine.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;

use super::super::{chain, mapping, show_rows};
use crate::feed::form::FormArgs;
use crate::feed::source::Source;

/// Answers requests with these texts, one each, and gives the address.
fn serve(answers: Vec<String>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            while lines
                .next()
                .is_some_and(|line| line.is_ok_and(|line| !line.is_empty()))
            {}
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    address
}

fn read(url: &str) -> Result<(String, Option<u64>), String> {
    let source =
        Source::open_as(Path::new(url), &FormArgs::default()).map_err(|err| chain(&err))?;
    let total = source.progress().total();
    Ok((
        show_rows(crate::feed::rows(source, None, mapping(""))),
        total,
    ))
}

#[test]
fn a_feed_is_read_from_a_url_behind_a_redirect() {
    let csv = "id,title,price\na,T,1\n";
    let address = serve(vec![
        "HTTP/1.1 302 Found\r\nlocation: /feed.csv?key=secret\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{csv}", csv.len()),
    ]);
    let (text, total) = read(&format!("{address}/feed")).unwrap();
    assert_eq!(text, "2: a \"T\" 1\n");
    assert_eq!(total, Some(csv.len() as u64));
}

#[test]
fn an_answer_without_a_feed_is_told() {
    let address = serve(vec![
        "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".to_owned(),
    ]);
    let err = read(&format!("{address}/feed?key=secret")).unwrap_err();
    assert_eq!(
        err,
        format!("{address}/feed: the server answers 404 Not Found: is the address right?")
    );
}
