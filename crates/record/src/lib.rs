//! Everything done with a finished journal: read, show, verify, prune.
