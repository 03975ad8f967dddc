//! The file that the lab program writes when somebody clicks Activate. Shaped like the real one, and never one.

use super::seeded::Seeded;
use std::fs;
use std::io;
use std::path::Path;

/// What `ACTIVATE.PVX` of the practice site says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Activation {
    /// Users that it allows.
    pub(crate) seats: u32,
    /// The serial number it was made with.
    pub(crate) serial: String,
}

impl Activation {
    /// From a user key of the lab: its last ten digits are the seats.
    pub(crate) fn of_keys(serial: &str, user_key: &str) -> Option<Self> {
        let digits = user_key.strip_prefix("LABUSERKEY")?;
        let seats = digits.parse().ok().filter(|seats| *seats > 0 && digits.len() == 10)?;
        serial.strip_prefix("LAB").map(|_| Self { seats, serial: serial.to_owned() })
    }

    /// As it stands in the file: a line, then bytes that mean nothing.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = format!("LAB-ACTIVATION seats={} serial={}\r\n", self.seats, self.serial).into_bytes();
        bytes.extend(Seeded::new(u64::from(self.seats)).take(1024));
        bytes
    }

    /// From the file.
    ///
    /// # Errors
    /// It cannot be read, or is none of the lab's.
    pub(crate) fn read(path: &Path) -> io::Result<Self> {
        let bytes = fs::read(path)?;
        let line = bytes.split(|byte| *byte == b'\r').next().and_then(|line| std::str::from_utf8(line).ok());
        line.and_then(Self::of_line).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no activation file of the lab"))
    }

    fn of_line(line: &str) -> Option<Self> {
        let (seats, serial) = line.strip_prefix("LAB-ACTIVATION seats=")?.split_once(" serial=")?;
        Some(Self { seats: seats.parse().ok()?, serial: serial.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::Activation;

    #[test]
    fn only_keys_of_the_lab_activate() {
        let made = Activation::of_keys("LAB0001", "LABUSERKEY0000000022");
        assert_eq!(made, Some(Activation { seats: 22, serial: "LAB0001".to_owned() }));
        assert_eq!(Activation::of_keys("LAB0001", "LABUSERKEY0000000000"), None);
        assert_eq!(Activation::of_keys("12345", "LABUSERKEY0000000022"), None);
        assert_eq!(Activation::of_keys("LAB0001", "USERKEY0000000022"), None);
    }

    #[test]
    fn a_file_reads_back() {
        let made = Activation { seats: 15, serial: "LAB0001".to_owned() };
        let bytes = made.bytes();
        let line = bytes.split(|byte| *byte == b'\r').next().and_then(|line| std::str::from_utf8(line).ok());
        assert_eq!(line.and_then(Activation::of_line), Some(made));
    }
}
