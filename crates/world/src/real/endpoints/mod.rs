//! Connecting to endpoints. One that does not answer is an answer.

mod page;
#[cfg(test)]
mod tests;
mod tls;

use crate::error::WorldError;
use crate::look::{Endpoint, Reply};
use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::{Duration, Instant};

/// How long an endpoint has to accept a connection, and to show its certificate.
const CONNECT: Duration = Duration::from_secs(5);
/// How long a page may take in all.
const PAGE: Duration = Duration::from_secs(15);

/// Whether an endpoint answers, and what.
pub(crate) fn connect(endpoint: &Endpoint) -> Result<Reply, WorldError> {
    let deadline = Instant::now() + CONNECT;
    match endpoint {
        Endpoint::Tcp { host, port } => Ok(open(host, *port, deadline).map_or_else(|e| silent(&e), |_| Reply::Open)),
        Endpoint::Http { url } => page::get(url),
        Endpoint::Tls { host, port } => tls::certificates(host, *port, deadline),
    }
}

/// A connection to the first address of a host that accepts one.
pub(crate) fn open(host: &str, port: u16, deadline: Instant) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{host}` has no address"));
    for address in (host, port).to_socket_addrs().map_err(|_| unknown_host(host))? {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        match TcpStream::connect_timeout(&address, left) {
            Ok(stream) => return Ok(stream),
            Err(e) => last = e,
        }
    }
    Err(last)
}

fn unknown_host(host: &str) -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, format!("no host is known as `{host}`"))
}

/// In words that are the same on every system.
fn silent(e: &io::Error) -> Reply {
    Reply::Silent(match e.kind() {
        io::ErrorKind::ConnectionRefused => "it refuses connections".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "it does not answer in time".to_owned(),
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted | io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof => {
            "it breaks the connection off".to_owned()
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => "it cannot be reached".to_owned(),
        _ => e.to_string(),
    })
}
