//! What a certificate says of itself. Nobody is asked whether it can be trusted.

use jiff::Timestamp;
use model::digest::Digest;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use x509_cert::certificate::Certificate;
use x509_cert::der::Decode as _;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// What a certificate says of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Facts {
    /// Whom it is for, as one text: `CN=www.harbor.example,O=Harbor`.
    pub subject: String,
    /// Who made it, in the same way.
    pub issuer: String,
    /// The host names and addresses it is for.
    pub names: Vec<String>,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// SHA-256 of the whole certificate in DER: what `openssl x509 -fingerprint -sha256` prints, without colons.
    pub sha256: Digest,
}

/// What the certificate says; `None` if it is none.
pub fn facts(der: &[u8]) -> Option<Facts> {
    let certificate = Certificate::from_der(der).ok()?;
    let certificate = certificate.tbs_certificate();
    let (not_before, not_after) = span(certificate.validity())?;
    Some(Facts {
        subject: certificate.subject().to_string(),
        issuer: certificate.issuer().to_string(),
        names: certificate
            .get_extension::<SubjectAltName>()
            .ok()
            .flatten()
            .map(|(_, names)| names.0.iter().filter_map(name).collect())
            .unwrap_or_default(),
        not_before,
        not_after,
        sha256: Digest::of(der),
    })
}

/// From when until when a certificate in DER is valid; `None` if it is none.
pub fn validity(der: &[u8]) -> Option<(Timestamp, Timestamp)> {
    span(Certificate::from_der(der).ok()?.tbs_certificate().validity())
}

/// The certificates of a PEM file in their order, in DER; what else is in it is passed over. `None`: it is no PEM file.
pub fn from_pem(pem: &[u8]) -> Option<Vec<Vec<u8>>> {
    CertificateDer::pem_slice_iter(pem).map(|der| Some(der.ok()?.to_vec())).collect()
}

fn span(validity: &x509_cert::time::Validity) -> Option<(Timestamp, Timestamp)> {
    let timestamp = |time: x509_cert::time::Time| Timestamp::from_second(i64::try_from(time.to_unix_duration().as_secs()).ok()?).ok();
    Some((timestamp(validity.not_before)?, timestamp(validity.not_after)?))
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(bytes) => {
            let bytes = bytes.as_bytes();
            let v4 = <[u8; 4]>::try_from(bytes).map(std::net::IpAddr::from);
            Some(v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(std::net::IpAddr::from)).ok()?.to_string())
        }
        _ => None,
    }
}
