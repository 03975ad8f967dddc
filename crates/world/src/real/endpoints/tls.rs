//! The certificates that a TLS server shows, whether or not anybody would trust them.

use super::{open, silent};
use crate::error::WorldError;
use crate::look::Reply;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, Error, SignatureScheme};
use std::io;
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// The cryptography that is used.
pub(super) fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

pub(super) fn certificates(host: &str, port: u16, deadline: Instant) -> Result<Reply, WorldError> {
    let invalid = || WorldError::Refused { name: host.to_owned(), reason: "it is no name of a host".to_owned() };
    let name = ServerName::try_from(host.to_owned()).map_err(|_| invalid())?;
    let witness = Arc::new(Witness { provider: provider(), seen: Mutex::default() });
    let config = ClientConfig::builder_with_provider(witness.provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|_| WorldError::Unavailable { what: "TLS".to_owned() })?
        .dangerous()
        .with_custom_certificate_verifier(witness.clone())
        .with_no_client_auth();
    let connection = ClientConnection::new(Arc::new(config), name).map_err(|_| invalid())?;
    let outcome = open(host, port, deadline).and_then(|stream| shake_hands(connection, stream, deadline));
    // A server that wants to see our certificate too has shown its own before it breaks off.
    let seen = std::mem::take(&mut *witness.seen.lock().unwrap_or_else(PoisonError::into_inner));
    Ok(match (seen, outcome) {
        (Seen { chain, proven: true }, _) => Reply::Certificates(chain),
        (_, Err(e)) => silent(&e),
        (_, Ok(())) => Reply::Silent("it has shown no certificate".to_owned()),
    })
}

/// By hand, for a server that sends a byte now and then would keep a plain handshake going for ever.
fn shake_hands(mut connection: ClientConnection, mut stream: TcpStream, deadline: Instant) -> io::Result<()> {
    while connection.is_handshaking() {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        stream.set_read_timeout(Some(left))?;
        stream.set_write_timeout(Some(left))?;
        if connection.wants_write() {
            connection.write_tls(&mut stream)?;
        } else if connection.read_tls(&mut stream)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        } else if let Err(e) = connection.process_new_packets() {
            return Err(io::Error::other(format!("the handshake failed: {e}")));
        }
    }
    Ok(())
}

/// Takes any certificate, keeps it, and checks only that the server has its key.
#[derive(Debug)]
struct Witness {
    provider: Arc<CryptoProvider>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    chain: Vec<Vec<u8>>,
    proven: bool,
}

impl Witness {
    fn proven(&self, result: Result<HandshakeSignatureValid, Error>) -> Result<HandshakeSignatureValid, Error> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).proven = result.is_ok();
        result
    }
}

impl ServerCertVerifier for Witness {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = std::iter::once(leaf).chain(others).map(|der| der.to_vec()).collect();
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = Seen { chain, proven: false };
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proven(verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms))
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.proven(verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms))
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}
