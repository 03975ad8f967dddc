//! Pages. A redirect is an answer and not followed, proxies and the environment play no part, and what stands behind
//! `https` must be trusted by this machine: whether a certificate is the wanted one is asked by the kind `tls`.

use super::{CONNECT, PAGE, silent, tls};
use crate::error::WorldError;
use crate::look::Reply;
use std::io::Read as _;
use ureq::tls::{RootCerts, TlsConfig};

/// How much of a page is kept.
const LIMIT: u64 = 256 << 10;

pub(super) fn get(url: &str) -> Result<Reply, WorldError> {
    let mut config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .user_agent("retrace")
        .timeout_global(Some(PAGE))
        .timeout_connect(Some(CONNECT));
    if url.starts_with("https://") {
        let roots = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).unversioned_rustls_crypto_provider(tls::provider());
        config = config.tls_config(roots.build());
    } else if !url.starts_with("http://") {
        return Err(refused(url));
    }
    let answer = ureq::Agent::new_with_config(config.build()).get(url).call();
    let mut response = match answer {
        Ok(response) => response,
        Err(e) => return unanswered(url, e),
    };
    let mut body = Vec::new();
    match response.body_mut().as_reader().take(LIMIT).read_to_end(&mut body) {
        Ok(_) => Ok(Reply::Page { status: response.status().as_u16(), body: String::from_utf8_lossy(&body).into_owned() }),
        Err(e) => unanswered(url, e.into()),
    }
}

fn unanswered(url: &str, e: ureq::Error) -> Result<Reply, WorldError> {
    use ureq::Error;
    Ok(match e {
        Error::Http(_) | Error::BadUri(_) => return Err(refused(url)),
        Error::Io(e) => silent(&e),
        Error::Timeout(_) => silent(&std::io::ErrorKind::TimedOut.into()),
        Error::HostNotFound => Reply::Silent("no host is known by this name".to_owned()),
        Error::ConnectionFailed => Reply::Silent("it refuses connections".to_owned()),
        other => Reply::Silent(other.to_string()),
    })
}

fn refused(url: &str) -> WorldError {
    WorldError::Refused { name: url.to_owned(), reason: "it is no address of a page: `http://` or `https://` with a host is wanted".to_owned() }
}
