//! The run bundle (specification, "Bridge artifacts in the run bundle"): canonical JSON, hashes, the contract files.
