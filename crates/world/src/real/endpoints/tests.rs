//! What is promised about endpoints.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::connect;
use crate::certificate;
use crate::error::WorldError;
use crate::look::{Endpoint, Reply};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

const CURRENT: (&[u8], &[u8]) =
    (include_bytes!("../../../tests/certificates/current.pem"), include_bytes!("../../../tests/certificates/current.key"));
const EXPIRED: (&[u8], &[u8]) =
    (include_bytes!("../../../tests/certificates/expired.pem"), include_bytes!("../../../tests/certificates/expired.key"));

/// A server for one connection; gives its port.
fn serve(answer: impl FnOnce(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || answer(listener.accept().unwrap().0));
    port
}

/// A server that reads a request and says these bytes.
fn say(bytes: impl Into<Vec<u8>>) -> u16 {
    let bytes = bytes.into();
    serve(move |mut stream| {
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            stream.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        // A client that has read enough hangs up.
        let _ = stream.write_all(&bytes);
    })
}

fn serve_tls((pem, key): (&[u8], &[u8]), hello: &'static [u8]) -> u16 {
    let chain = CertificateDer::pem_slice_iter(pem).map(Result::unwrap).collect();
    // Not `with_single_cert`, which sees to it that the key belongs to the certificate.
    let key = rustls::crypto::ring::sign::any_supported_type(&PrivateKeyDer::from_pem_slice(key).unwrap()).unwrap();
    let shown = rustls::sign::SingleCertAndKey::from(rustls::sign::CertifiedKey::new(chain, key));
    let config = rustls::ServerConfig::builder_with_provider(super::tls::provider())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(shown));
    serve(move |mut stream| {
        let mut connection = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let mut tls = rustls::Stream::new(&mut connection, &mut stream);
        let _ = tls.write_all(hello);
        let _ = tls.read(&mut [0; 1000]);
    })
}

fn get(port: u16) -> Reply {
    connect(&Endpoint::Http { url: format!("http://127.0.0.1:{port}/page") }).unwrap()
}

fn tls(port: u16) -> Reply {
    connect(&Endpoint::Tls { host: "127.0.0.1".to_owned(), port }).unwrap()
}

fn nobody() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn page(status: u16, body: &str) -> Reply {
    Reply::Page { status, body: body.to_owned() }
}

#[test]
fn a_port_that_accepts_is_open_and_one_that_refuses_is_silent() {
    let tcp = |port| connect(&Endpoint::Tcp { host: "localhost".to_owned(), port }).unwrap();
    assert_eq!(tcp(serve(drop)), Reply::Open);
    let refuses = Reply::Silent("it refuses connections".to_owned());
    assert_eq!(tcp(nobody()), refuses);
    assert_eq!(get(nobody()), refuses);
    assert_eq!(tls(nobody()), refuses);
}

#[test]
fn a_host_that_is_not_known_is_silent() {
    let reply = connect(&Endpoint::Tcp { host: "no-such-host.invalid".to_owned(), port: 1 }).unwrap();
    assert_eq!(reply, Reply::Silent("no host is known as `no-such-host.invalid`".to_owned()));
}

#[test]
fn a_page_is_given_with_its_status_whatever_that_is() {
    assert_eq!(get(say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")), page(200, "hello"));
    assert_eq!(get(say("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy")), page(503, "busy"));
}

#[test]
fn a_redirect_is_an_answer_and_not_followed() {
    for to in ["file:///etc/passwd", "http://127.0.0.1:1/"] {
        let port = say(format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"));
        assert_eq!(get(port), page(302, ""));
    }
}

#[test]
fn of_a_long_page_the_beginning_is_kept() {
    let port = say(format!("HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n{}", "x".repeat(10_000_000)));
    let Reply::Page { status: 200, body } = get(port) else { panic!("no page") };
    assert_eq!(body.len(), 256 << 10);
}

#[test]
fn what_is_no_page_is_silent() {
    assert!(matches!(get(say("SSH-2.0-OpenSSH\r\n")), Reply::Silent(_)));
    assert!(matches!(get(serve(drop)), Reply::Silent(_)));
}

#[test]
fn what_is_no_address_of_a_page_is_refused() {
    for url in ["ftp://a/", "file:///etc/passwd", "www.harbor.example", "http://", "http://a b/", "https://"] {
        assert!(matches!(connect(&Endpoint::Http { url: url.to_owned() }), Err(WorldError::Refused { .. })), "{url}");
    }
}

#[test]
fn a_certificate_is_given_even_if_nobody_would_trust_it() {
    for made in [CURRENT, EXPIRED] {
        let Reply::Certificates(chain) = tls(serve_tls(made, b"")) else { panic!("no certificate") };
        assert_eq!(Some(chain), certificate::from_pem(made.0));
    }
}

#[test]
fn a_server_that_does_not_own_its_certificate_shows_none() {
    assert!(matches!(tls(serve_tls((CURRENT.0, EXPIRED.1), b"")), Reply::Silent(_)));
}

#[test]
fn what_does_not_speak_tls_is_silent() {
    assert!(matches!(tls(say("HTTP/1.1 400 Bad\r\n\r\n")), Reply::Silent(_)));
    let port = serve(|mut stream| stream.write_all(b"220 mail ready, and a long line\r\n").unwrap());
    assert!(matches!(tls(port), Reply::Silent(_)));
}

#[test]
fn a_handshake_without_end_is_given_up() {
    let port = serve(|mut stream| {
        // The head of a long record, and then its bytes one by one.
        let _ = stream.write_all(&[22, 3, 3, 64, 0]);
        while stream.write_all(&[0]).is_ok() {
            thread::sleep(std::time::Duration::from_millis(20));
        }
    });
    assert_eq!(tls(port), Reply::Silent("it does not answer in time".to_owned()));
}

#[test]
fn a_page_behind_a_certificate_that_is_not_trusted_is_silent() {
    let port = serve_tls(CURRENT, b"");
    let reply = connect(&Endpoint::Http { url: format!("https://127.0.0.1:{port}/") }).unwrap();
    let Reply::Silent(words) = reply else { panic!("trusted") };
    assert!(words.contains("certificate"), "{words}");
}

#[test]
fn a_certificate_tells_whom_it_is_for_and_how_long() {
    let der = &certificate::from_pem(EXPIRED.0).unwrap()[0];
    let facts = certificate::facts(der).unwrap();
    assert_eq!(facts.subject, "CN=www.harbor.example,O=Harbor");
    assert_eq!(facts.issuer, facts.subject);
    assert_eq!(facts.names, ["www.harbor.example", "harbor.example", "127.0.0.1"]);
    let validity = (facts.not_before, facts.not_after);
    assert_eq!(validity, ("2020-01-01T00:00:00Z".parse().unwrap(), "2021-01-01T00:00:00Z".parse().unwrap()));
    assert_eq!(certificate::validity(der), Some(validity));
    assert_eq!(certificate::facts(&der[1..]), None);
    assert_eq!(certificate::from_pem(b"no certificate"), Some(vec![]));
    assert_eq!(certificate::from_pem(b"-----BEGIN CERTIFICATE-----\n!!\n-----END CERTIFICATE-----\n"), None);
}
