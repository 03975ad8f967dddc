//! The documents of retrace: what is read, planned and recorded. No I/O.
